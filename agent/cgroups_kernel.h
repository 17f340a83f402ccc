// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/cgroup_mounts.h"
#include "agent/cgroups.h"
#include "agent/placed_groups.h"
#include "base/unique_fd.h"

namespace cmk {

/// The group that the pools are in.
struct Home {
    std::string path;        ///< below the mount point: "cmk-leases"
    bool delegated = false;  ///< a systemd unit's: made and removed by systemd, with Delegate=
};

/// Cgroups on the kernel's files: v1 cpusets, v2 member cpusets, and in a delegated home, where
/// the kernel has them, remote partitions. Source of the partition rules: kernel
/// Documentation/admin-guide/cgroup-v2.rst, "Cpuset Interface Files".
class CgroupsKernel final : public Cgroups {
public:
    /// Opens the hierarchy. Changes nothing until the first set_root.
    /// Errors: io; unavailable when the directory cannot be made here.
    /// `units`: null where leases of services are not held in their units.
    static Result<std::unique_ptr<CgroupsKernel>> open(const CpusetMount& mount, const Home& home,
                                                       std::shared_ptr<SystemdUnits> units = {});

    std::string mechanism() const override;
    Abilities abilities() const override { return abilities_; }
    std::string path_in(const std::string& proc_cgroup) const override;
    Status set_root(const CpuSet& cpus) override;
    Status set_reserved(const CpuSet& cpus) override;
    Status make_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) override;
    Status set_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) override;
    Status remove_pool(const std::string& pool) override;
    std::optional<Place> place_for(CallerKind caller, const std::string& path) const override;
    bool is_alone(const std::string& path, int pid) const override;
    Status make_lease(const LeaseGroup& group, const CpuSet& cpus, PartitionType type) override;
    Status remove_lease(const LeaseGroup& group, const CpuSet& cpus) override;
    Status copy_limits(const LeaseGroup& group, const std::string& path) override;
    Status attach(const LeaseGroup& group, int pid) override;
    Status move_to(const std::string& path, int pid) override;
    Result<Confinement> confinement(const LeaseGroup& group) override;
    CpuSet allowed_in(const std::string& path) override;
    PoolState pool_state(const std::string& pool) override;
    std::string rivals(const std::string& pool, const CpuSet& cpus) override;
    UniqueFd watch_partition(const std::string& pool) override;
    UniqueFd watch_lease(const LeaseGroup& group) override;
    bool clear_stale(const CpuSet& cpus, const std::vector<FoundGroup>& live) override;
    std::string home_problem() override;
    std::vector<UniqueFd> watch_homes() override;
    Result<CpuSet> lost_cpus() override;
    Status return_lost(const CpuSet& cpus) override;
    Result<std::vector<int>> members(const LeaseGroup& group) override;
    Result<std::vector<std::string>> pools() override;
    Result<std::vector<FoundGroup>> leases() override;

private:
    CgroupsKernel(const CpusetMount& mount, const Home& home, UniqueFd top);
    static bool is_placed(const LeaseGroup& group) { return group.place.kind != PlaceKind::pool; }

    bool is_v1() const { return version_ == CpusetMount::Version::v1; }
    std::string path_of(const std::string& pool) const { return home_.path + "/" + pool; }
    std::string path_of(const LeaseGroup& group) const;
    std::string holder_events() const { return path_of(kHolderGroup) + "/cgroup.events"; }
    Status hand_down(const std::string& path);
    Status put_into_partition(const std::string& pool, const CpuSet& cpus, PartitionType type);
    Status keep_released(int pid);
    bool exists(const std::string& path) const;
    bool holds_claim() const;
    Status make_root();
    Status claim_root();
    Status make_group(const std::string& path, const CpuSet& cpus);
    Status set_cpus(const std::string& path, const CpuSet& cpus);
    Status remove_group(const std::string& path);
    Result<std::vector<std::string>> groups_in(const std::string& path);

    CpusetMount::Version version_;
    Home home_;
    Abilities abilities_;
    std::string mount_path_;              // for messages
    UniqueFd top_;                        // the mount point
    std::optional<PlacedGroups> placed_;  // on v2
    UniqueFd claim_;                      // the root, locked: no two agents share it
    std::string mems_;                    // v1: what children's cpuset.mems copies
};

}  // namespace cmk
