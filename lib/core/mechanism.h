// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/result.h"
#include "core/pool.h"

namespace cmk {

/// What the host can hold leases by, as probed from the kernel's files.
struct Abilities {
    bool cpusets = false;            ///< groups with CPUs of their own
    bool remote_partitions = false;  ///< partitions below members: cpuset.cpus.exclusive is there
    bool local_partitions = false;   ///< partitions at the top of the hierarchy

    friend bool operator==(const Abilities&, const Abilities&) = default;
};

/// What the pool's group shall be. Remote partitions hold exclusive pools unless the pool asks for
/// less; local ones, which another unit's AllowedCPUs= can break, only a pool that asks for
/// `partition`. CPUs isolated at boot need `isolated`: a `root` partition there turns invalid at
/// its first change, and a local one is always `root`. Errors: unavailable when the pool asks for a
/// partition and the host has none for it.
Result<PartitionType> choose_partition(const Pool& pool, const Abilities& abilities);

/// choose_partition for each pool. Errors: as there, with the pool's name.
Status choose_partitions(std::vector<Pool>& pools, const Abilities& abilities);

}  // namespace cmk
