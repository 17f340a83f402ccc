// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace cmk::k8s {

/// How a program has ended, and what it wrote.
struct ChildOutput {
    int exit_code = 0;  ///< 128 and the signal for one that was killed
    std::string out = {};
    std::string err = {};
};

/// Runs a program of PATH until it ends, without the variables that say that this is a pod. Errors:
/// io; unavailable where there is no such program.
Result<ChildOutput> run_child(const std::vector<std::string>& words);

}  // namespace cmk::k8s
