// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/cgroups.h"

namespace cmk {

/// Cgroups in memory, with the kernel's rules: a child's CPUs lie in its parent's, a group that is
/// in use cannot go, nothing is made without its parent. Source: kernel cpuset-v1,
/// validate_change().
class FakeCgroups final : public Cgroups {
public:
    struct Group {
        CpuSet cpus = {};
        std::set<int> pids = {};
        friend bool operator==(const Group&, const Group&) = default;
    };
    struct PoolGroup {
        CpuSet cpus = {};
        PartitionType partition = PartitionType::member;
        bool valid = true;
        std::map<std::string, Group> leases = {};
        friend bool operator==(const PoolGroup&, const PoolGroup&) = default;
    };
    /// A group of a lease in place.
    struct PlacedGroup {
        CpuSet cpus = {};
        PartitionType partition = PartitionType::member;
        bool valid = true;
        std::set<int> pids = {};
        friend bool operator==(const PlacedGroup&, const PlacedGroup&) = default;
    };
    struct Tree {
        std::optional<CpuSet> root = {};
        CpuSet reserved = {};
        std::map<std::string, PoolGroup> pools = {};
        std::map<std::string, PlacedGroup> placed = {};  ///< by path
        std::map<int, std::string> elsewhere = {};       ///< where processes were moved back to
        friend bool operator==(const Tree&, const Tree&) = default;
    };

    /// `is_running`: tells processes that have ended, for ESRCH.
    explicit FakeCgroups(std::function<bool(int)> is_running)
        : is_running_(std::move(is_running)) {}

    /// The whole state, to look at and to compare.
    Tree tree;
    /// Set to false for a host without cpusets.
    bool groups_usable = true;
    /// Set for a host with remote partitions.
    bool remote_partitions = false;
    /// Set for a host with local ones alone.
    bool local_partitions = false;
    /// Set for a host that holds leases of containers and services in place.
    bool in_place = false;
    /// Unset for containers whose groups have no cpuset files.
    bool containers_have_cpusets = true;
    /// What is_alone() answers.
    bool alone = false;
    /// What clear_stale() finds once.
    bool stale = false;
    /// Somebody else holds these: partitions with them do not come into force.
    CpuSet foreign = {};
    /// What rivals() answers.
    std::string rival;
    /// What allowed_in() answers.
    CpuSet allowed = CpuSet::first(16);
    /// What home_problem() answers.
    std::string home;
    /// CPUs that neither everybody nor a partition has.
    CpuSet lost = {};
    /// What copy_limits answers.
    Status limits = {};

    /// Puts a process into a lease's group as fork(2) would.
    void add_member(const LeaseGroup& group, int pid);
    void process_ended(int pid);
    Group* find(const LeaseGroup& group);
    PlacedGroup* find_placed(const LeaseGroup& group);
    /// A container ends with everything in it.
    void remove_container(const std::string& path);

    /// The n-th call from now (1 is the next) fails with that errno; 0 none.
    void fail_call(unsigned n, int number);
    /// True when that call came.
    bool has_failed() const { return failed_; }
    /// What was called, without reads: "make_lease exclusive/l1 2-3".
    std::vector<std::string> calls;

    std::string mechanism() const override;
    Abilities abilities() const override {
        return {.cpusets = groups_usable,
                .remote_partitions = remote_partitions,
                .local_partitions = local_partitions};
    }
    std::string path_in(const std::string& proc_cgroup) const override;
    Status set_root(const CpuSet& cpus) override;
    Status set_reserved(const CpuSet& cpus) override;
    Status make_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) override;
    Status set_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) override;
    Status remove_pool(const std::string& pool) override;
    std::optional<Place> place_for(CallerKind caller, const std::string& path) const override;
    bool is_alone(const std::string&, int) const override { return alone; }
    Status make_lease(const LeaseGroup& group, const CpuSet& cpus, PartitionType type) override;
    Status remove_lease(const LeaseGroup& group, const CpuSet& cpus) override;
    Status copy_limits(const LeaseGroup& group, const std::string& path) override;
    Status attach(const LeaseGroup& group, int pid) override;
    Status move_to(const std::string& path, int pid) override;
    Result<Confinement> confinement(const LeaseGroup& group) override;
    CpuSet allowed_in(const std::string&) override { return allowed; }
    PoolState pool_state(const std::string& pool) override;
    std::string rivals(const std::string&, const CpuSet&) override { return rival; }
    UniqueFd watch_partition(const std::string& pool) override;
    UniqueFd watch_lease(const LeaseGroup& group) override;
    bool clear_stale(const CpuSet&, const std::vector<FoundGroup>&) override {
        return std::exchange(stale, false);
    }
    std::string home_problem() override { return home; }
    std::vector<UniqueFd> watch_homes() override { return {}; }
    Result<CpuSet> lost_cpus() override { return lost; }
    Status return_lost(const CpuSet& cpus) override;
    Result<std::vector<int>> members(const LeaseGroup& group) override;
    Result<std::vector<std::string>> pools() override;
    Result<std::vector<FoundGroup>> leases() override;

private:
    Status may_call();
    Status set_partition(PoolGroup& pool, PartitionType type);
    Status make_placed(const LeaseGroup& group, const CpuSet& cpus, PartitionType type);
    CpuSet partitioned_elsewhere(const std::string& path) const;
    void leave(int pid);

    std::function<bool(int)> is_running_;
    unsigned fail_in_ = 0;
    int fail_errno_ = 0;
    bool failed_ = false;
};

}  // namespace cmk
