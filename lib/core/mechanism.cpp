// SPDX-License-Identifier: Apache-2.0
#include "core/mechanism.h"

#include "base/text.h"

namespace cmk {

Result<PartitionType> choose_partition(const Pool& pool, const Abilities& abilities) {
    const PartitionType exclusive =
        pool.boot_isolated ? PartitionType::isolated : PartitionType::root;
    switch (pool.spec.isolation) {
        case Isolation::cpuset:
        case Isolation::affinity: return PartitionType::member;
        case Isolation::automatic:
            return abilities.remote_partitions && pool.spec.kind == PoolKind::exclusive
                       ? exclusive
                       : PartitionType::member;
        case Isolation::partition: break;
    }
    if (abilities.remote_partitions) return exclusive;
    if (abilities.local_partitions && !pool.boot_isolated) return exclusive;
    if (abilities.local_partitions) {
        return make_error(Errc::unavailable,
                          "pool " + quote(pool.spec.name) +
                              " asks for isolation = \"partition\", but its CPUs are isolated at "
                              "boot (isolcpus=), which only kernels since Linux 6.7 can hold in "
                              "one; use \"auto\"");
    }
    return make_error(Errc::unavailable,
                      "pool " + quote(pool.spec.name) +
                          " asks for isolation = \"partition\", which needs cgroup v2 with the "
                          "cpuset controller and cmk-agent running as a systemd service; use "
                          "\"auto\" to take what this host has");
}

Status choose_partitions(std::vector<Pool>& pools, const Abilities& abilities) {
    for (Pool& pool : pools) {
        CMK_TRY_ASSIGN(pool.partition, choose_partition(pool, abilities));
    }
    return {};
}

}  // namespace cmk
