// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace cmk::compat {

/// Becomes cmk-k8s, which does what concerns the cluster, with these words. Returns only an
/// error: unavailable, where that program is not installed.
Result<int> hand_over(const std::vector<std::string>& arguments);

}  // namespace cmk::compat
