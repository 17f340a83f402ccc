// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

namespace cmk {

/// Gives group `to` the tightest memory.max, memory.high, memory.swap.max and pids.max of group
/// `from` and those above it. Both are paths below `top`, an open cgroup v2 mount point. Limits
/// that nobody set stay "max". Errors: io, with the file.
Status copy_tightest_limits(int top, const std::string& from, const std::string& to);

}  // namespace cmk
