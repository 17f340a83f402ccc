// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/cpu_set.h"

namespace cmk {

/// For sentences: "CPU 5", "CPUs 2-3,8"; with the verb: "CPU 5 is", "CPUs 2-3,8 are".
std::string cpus_text(const CpuSet& cpus);
std::string cpus_are(const CpuSet& cpus);

}  // namespace cmk
