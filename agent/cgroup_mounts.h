// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "agent/config.h"
#include "base/result.h"

namespace cmk {

/// Where the cpuset controller can be used.
struct CpusetMount {
    enum class Version { none, v1, v2 };
    Version version = Version::none;
    std::string path = {};  ///< mount point
    std::string why = {};   ///< for none: why not, a full sentence
};

/// Finds the cpuset hierarchy, v1 or v2, in the mount table through libcgroup. `backend` may ask
/// for one kind. Errors: unavailable when the kind asked for by name is not there.
Result<CpusetMount> find_cpuset_mount(CgroupBackend backend);

}  // namespace cmk
