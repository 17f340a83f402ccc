// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/cgroups.h"
#include "agent/systemd_units.h"

namespace cmk {

/// Groups of leases in place, on cgroup v2.
///
/// In a container the lease is a threaded child of the container's own group: memory stays charged
/// to the container, and its runtime goes on managing it. A systemd service that isolates itself
/// stays in its unit's group. With remote partitions such a group is one, so nobody else, other
/// processes of the container included, can run on its CPUs. Source: kernel
/// Documentation/admin-guide/cgroup-v2.rst, "Threads" and "Cpuset Interface Files".
class PlacedGroups {
public:
    /// `top`: the mount point, open as long as this. `units`: null where no systemd manages it.
    PlacedGroups(int top, bool remote_partitions, std::shared_ptr<SystemdUnits> units)
        : top_(top), remote_partitions_(remote_partitions), units_(std::move(units)) {}

    std::optional<Place> place_for(CallerKind caller, const std::string& path) const;
    Status make(const LeaseGroup& group, const CpuSet& cpus, PartitionType type);
    Status remove(const LeaseGroup& group, const CpuSet& cpus);
    /// Into the child; the process of a unit is there.
    Status attach(const LeaseGroup& group, int pid);
    Result<Confinement> confinement(const LeaseGroup& group) const;
    Result<std::vector<int>> members(const LeaseGroup& group) const;
    UniqueFd watch(const LeaseGroup& group) const;
    /// `own`: where the pools are, which is not looked at.
    bool clear_stale(const CpuSet& cpus, const std::vector<FoundGroup>& live,
                     const std::string& own) const;

    /// Below the mount point.
    static std::string path_of(const LeaseGroup& group);

private:
    bool exists(const std::string& path) const;
    bool is_untouched(const LeaseGroup& group) const;
    Status make_child(const LeaseGroup& group, const CpuSet& cpus);
    Status limit_unit(const LeaseGroup& group, const CpuSet& cpus, PartitionType type);
    Status take_exclusively(const LeaseGroup& group, const CpuSet& cpus, PartitionType type);
    Status remove_child(const LeaseGroup& group);
    void unlimit_unit(const LeaseGroup& group);

    int top_;
    bool remote_partitions_;
    std::shared_ptr<SystemdUnits> units_;
};

}  // namespace cmk
