// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/cgroups_kernel.h"
#include "agent/systemd_units.h"

namespace cmk {

/// For cgroup v2 kernels without remote partitions: pools that ask for a partition live in a
/// second home, whose slice is a partition at the top of the hierarchy; all others in the first.
class CgroupsLocal final : public Cgroups {
public:
    /// `local` is the delegated unit in `slice`, a slice of its own at the top.
    CgroupsLocal(std::unique_ptr<CgroupsKernel> members, std::unique_ptr<CgroupsKernel> local,
                 std::string slice, std::shared_ptr<SystemdUnits> units, UniqueFd top);

    /// With both homes open. Errors: those of CgroupsKernel::open.
    static Result<std::unique_ptr<CgroupsLocal>> open(const CpusetMount& mount,
                                                      std::unique_ptr<CgroupsKernel> members,
                                                      const Home& local,
                                                      std::shared_ptr<SystemdUnits> units);

    std::string mechanism() const override { return "cgroup v2 cpuset"; }
    Abilities abilities() const override;
    std::string path_in(const std::string& proc_cgroup) const override;
    Status set_root(const CpuSet& cpus) override;
    Status set_reserved(const CpuSet& cpus) override;
    Status make_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) override;
    Status set_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) override;
    Status remove_pool(const std::string& pool) override;
    std::optional<Place> place_for(CallerKind caller, const std::string& path) const override {
        return members_->place_for(caller, path);
    }
    bool is_alone(const std::string& path, int pid) const override {
        return members_->is_alone(path, pid);
    }
    Status make_lease(const LeaseGroup& group, const CpuSet& cpus, PartitionType type) override;
    Status remove_lease(const LeaseGroup& group, const CpuSet& cpus) override;
    Status copy_limits(const LeaseGroup& group, const std::string& path) override;
    Status attach(const LeaseGroup& group, int pid) override;
    Status move_to(const std::string& path, int pid) override;
    Result<Confinement> confinement(const LeaseGroup& group) override;
    CpuSet allowed_in(const std::string& path) override { return members_->allowed_in(path); }
    PoolState pool_state(const std::string& pool) override;
    std::string rivals(const std::string& pool, const CpuSet& cpus) override;
    UniqueFd watch_partition(const std::string& pool) override;
    UniqueFd watch_lease(const LeaseGroup& group) override { return members_->watch_lease(group); }
    bool clear_stale(const CpuSet& cpus, const std::vector<FoundGroup>& live) override {
        return members_->clear_stale(cpus, live);
    }
    std::string home_problem() override;
    std::vector<UniqueFd> watch_homes() override;
    Result<CpuSet> lost_cpus() override;
    Status return_lost(const CpuSet& cpus) override;
    Result<std::vector<int>> members(const LeaseGroup& group) override;
    Result<std::vector<std::string>> pools() override;
    Result<std::vector<FoundGroup>> leases() override;

private:
    bool is_local(const std::string& pool) const { return local_pools_.count(pool) > 0; }
    CgroupsKernel& home_of(const std::string& pool);
    CgroupsKernel& home_of(const LeaseGroup& group);
    Status take(const CpuSet& cpus);
    Status give_back();

    std::unique_ptr<CgroupsKernel> members_;
    std::unique_ptr<CgroupsKernel> local_;
    std::string slice_;
    std::shared_ptr<SystemdUnits> units_;
    UniqueFd top_;
    std::set<std::string> local_pools_;
};

}  // namespace cmk
