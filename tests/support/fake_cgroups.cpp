// SPDX-License-Identifier: Apache-2.0
#include "support/fake_cgroups.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace cmk {

namespace {

Error fails(int number) {
    return errno_error(number, "fake cgroup");
}

bool is_placed(const LeaseGroup& group) {
    return group.place.kind != PlaceKind::pool;
}

std::string path_of(const LeaseGroup& group) {
    if (group.place.kind == PlaceKind::unit) return group.place.path;
    return group.place.path + "/cmk-" + group.lease;
}

std::string name_of(const LeaseGroup& group) {
    return is_placed(group) ? path_of(group) : group.pool + "/" + group.lease;
}

}  // namespace

void FakeCgroups::fail_call(unsigned n, int number) {
    fail_in_ = n;
    fail_errno_ = number;
    failed_ = false;
}

Status FakeCgroups::may_call() {
    if (fail_in_ == 0 || --fail_in_ > 0) return {};
    failed_ = true;
    return fails(fail_errno_);
}

FakeCgroups::Group* FakeCgroups::find(const LeaseGroup& group) {
    const auto pool = tree.pools.find(group.pool);
    if (pool == tree.pools.end()) return nullptr;
    const auto lease = pool->second.leases.find(group.lease);
    return lease == pool->second.leases.end() ? nullptr : &lease->second;
}

FakeCgroups::PlacedGroup* FakeCgroups::find_placed(const LeaseGroup& group) {
    const auto at = tree.placed.find(path_of(group));
    return at == tree.placed.end() ? nullptr : &at->second;
}

void FakeCgroups::remove_container(const std::string& path) {
    std::erase_if(tree.placed,
                  [&](const auto& entry) { return entry.first.starts_with(path + "/"); });
}

void FakeCgroups::add_member(const LeaseGroup& group, int pid) {
    leave(pid);
    (is_placed(group) ? find_placed(group)->pids : find(group)->pids).insert(pid);
}

void FakeCgroups::leave(int pid) {
    tree.elsewhere.erase(pid);
    for (auto& [pool, pool_group] : tree.pools) {
        for (auto& [lease, group] : pool_group.leases)
            group.pids.erase(pid);
    }
    for (auto& [path, group] : tree.placed)
        group.pids.erase(pid);
}

void FakeCgroups::process_ended(int pid) {
    leave(pid);
}

std::string FakeCgroups::mechanism() const {
    return groups_usable ? "cgroup v1 cpuset" : "affinity";
}

std::string FakeCgroups::path_in(const std::string& proc_cgroup) const {
    const std::size_t at = proc_cgroup.find("::");
    return at == std::string::npos ? "/"
                                   : proc_cgroup.substr(at + 2, proc_cgroup.find('\n') - at - 2);
}

Status FakeCgroups::set_root(const CpuSet& cpus) {
    calls.push_back("set_root " + cpus.to_cpulist());
    CMK_TRY(may_call());
    if (cpus.empty()) {
        if (!tree.pools.empty()) return fails(EBUSY);
        tree.root.reset();
        return {};
    }
    for (const auto& [name, pool] : tree.pools) {
        if (!cpus.contains_all(pool.cpus)) return fails(EBUSY);
    }
    tree.root = cpus;
    return {};
}

Status FakeCgroups::set_reserved(const CpuSet& cpus) {
    calls.push_back("set_reserved " + cpus.to_cpulist());
    CMK_TRY(may_call());
    for (const auto& [name, pool] : tree.pools) {
        if (pool.partition == PartitionType::member || cpus.contains_all(pool.cpus)) continue;
        return fails(EBUSY);
    }
    tree.reserved = cpus;
    return {};
}

/// As the kernel: it takes the type, and is invalid where the CPUs cannot be had.
Status FakeCgroups::set_partition(PoolGroup& pool, PartitionType type) {
    pool.partition = type;
    pool.valid = true;
    if (type == PartitionType::member) return {};
    pool.valid = tree.reserved.contains_all(pool.cpus) && !pool.cpus.intersects(foreign);
    if (pool.valid) return {};
    return make_error(Errc::conflict, "the kernel refuses the partition");
}

Status FakeCgroups::make_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) {
    calls.push_back("make_pool " + pool + " " + cpus.to_cpulist());
    CMK_TRY(may_call());
    if (!tree.root) return fails(ENOENT);
    if (!tree.root->contains_all(cpus)) return fails(EACCES);
    tree.pools[pool].cpus = cpus;
    const Status done = set_partition(tree.pools[pool], type);
    if (!done) tree.pools.erase(pool);
    return done;
}

Status FakeCgroups::set_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) {
    calls.push_back("set_pool " + pool + " " + cpus.to_cpulist());
    CMK_TRY(may_call());
    const auto at = tree.pools.find(pool);
    if (at == tree.pools.end()) return fails(ENOENT);
    if (!tree.root->contains_all(cpus)) return fails(EACCES);
    for (const auto& [name, lease] : at->second.leases) {
        if (!cpus.contains_all(lease.cpus)) return fails(EBUSY);
    }
    at->second.cpus = cpus;
    return set_partition(at->second, type);
}

Status FakeCgroups::remove_pool(const std::string& pool) {
    calls.push_back("remove_pool " + pool);
    CMK_TRY(may_call());
    const auto at = tree.pools.find(pool);
    if (at == tree.pools.end()) return {};
    if (!at->second.leases.empty()) return fails(EBUSY);
    tree.pools.erase(at);
    return {};
}

std::optional<Place> FakeCgroups::place_for(CallerKind caller, const std::string& path) const {
    if (!in_place || caller == CallerKind::host) return Place{};
    if (caller == CallerKind::service) return Place{PlaceKind::unit, path.substr(1)};
    if (!containers_have_cpusets) return std::nullopt;
    return Place{PlaceKind::child, path.substr(1)};
}

CpuSet FakeCgroups::partitioned_elsewhere(const std::string& path) const {
    CpuSet cpus = foreign;
    for (const auto& [name, pool] : tree.pools) {
        if (pool.partition != PartitionType::member) cpus |= pool.cpus;
    }
    for (const auto& [other, group] : tree.placed) {
        if (other != path && group.partition != PartitionType::member) cpus |= group.cpus;
    }
    return cpus;
}

/// One partition has a CPU, and the groups above the pools may not reserve it then.
Status FakeCgroups::make_placed(const LeaseGroup& group, const CpuSet& cpus, PartitionType type) {
    PlacedGroup placed{.cpus = cpus};
    if (PlacedGroup* found = find_placed(group)) placed.pids = found->pids;
    const bool partition = remote_partitions && type != PartitionType::member;
    if (partition && tree.reserved.intersects(cpus)) return fails(EINVAL);
    if (partition) placed.partition = type;
    if (partition && partitioned_elsewhere(path_of(group)).intersects(cpus)) {
        return make_error(Errc::conflict, "the kernel refuses the partition");
    }
    tree.placed[path_of(group)] = std::move(placed);
    return {};
}

Status FakeCgroups::make_lease(const LeaseGroup& group, const CpuSet& cpus, PartitionType type) {
    calls.push_back("make_lease " + name_of(group) + " " + cpus.to_cpulist());
    CMK_TRY(may_call());
    if (is_placed(group)) return make_placed(group, cpus, type);
    const auto pool = tree.pools.find(group.pool);
    if (pool == tree.pools.end()) return fails(ENOENT);
    if (!pool->second.cpus.contains_all(cpus)) return fails(EACCES);
    pool->second.leases[group.lease].cpus = cpus;
    return {};
}

Status FakeCgroups::remove_lease(const LeaseGroup& group, const CpuSet&) {
    calls.push_back("remove_lease " + name_of(group));
    CMK_TRY(may_call());
    if (const PlacedGroup* placed = is_placed(group) ? find_placed(group) : nullptr) {
        if (group.place.kind == PlaceKind::child && !placed->pids.empty()) return fails(EBUSY);
        tree.placed.erase(path_of(group));
    }
    if (is_placed(group)) return {};
    const Group* found = find(group);
    if (found == nullptr) return {};
    if (!found->pids.empty()) return fails(EBUSY);
    tree.pools[group.pool].leases.erase(group.lease);
    return {};
}

Status FakeCgroups::copy_limits(const LeaseGroup& group, const std::string& path) {
    calls.push_back("copy_limits " + name_of(group) + " " + path);
    CMK_TRY(may_call());
    return limits;
}

Status FakeCgroups::attach(const LeaseGroup& group, int pid) {
    calls.push_back("attach " + name_of(group) + " " + std::to_string(pid));
    CMK_TRY(may_call());
    if (!is_running_(pid)) return fails(ESRCH);
    if (is_placed(group)) {
        if (find_placed(group) == nullptr) return fails(ENOENT);
        add_member(group, pid);
        return {};
    }
    Group* found = find(group);
    if (found == nullptr) return fails(ENOENT);
    if (found->cpus.empty()) return fails(ENOSPC);
    leave(pid);
    found->pids.insert(pid);
    return {};
}

Status FakeCgroups::move_to(const std::string& path, int pid) {
    calls.push_back("move_to " + path + " " + std::to_string(pid));
    CMK_TRY(may_call());
    if (!is_running_(pid)) return fails(ESRCH);
    leave(pid);
    tree.elsewhere[pid] = path;
    return {};
}

Result<Confinement> FakeCgroups::confinement(const LeaseGroup& group) {
    CMK_TRY(may_call());
    if (is_placed(group)) {
        const PlacedGroup* placed = find_placed(group);
        if (placed == nullptr) return fails(ENOENT);
        return Confinement{
            .effective = placed->cpus,
            .exclusive = placed->valid && placed->partition != PartitionType::member,
            .isolated = placed->valid && placed->partition == PartitionType::isolated};
    }
    const Group* found = find(group);
    if (found == nullptr) return fails(ENOENT);
    const PoolGroup& pool = tree.pools[group.pool];
    return Confinement{.effective = found->cpus,
                       .exclusive = pool.valid && pool.partition != PartitionType::member,
                       .isolated = pool.valid && pool.partition == PartitionType::isolated};
}

PoolState FakeCgroups::pool_state(const std::string& pool) {
    const auto at = tree.pools.find(pool);
    if (at == tree.pools.end()) return {};
    return {.cpus = at->second.cpus, .partition = at->second.partition, .valid = at->second.valid};
}

UniqueFd FakeCgroups::watch_partition(const std::string& pool) {
    const bool is_there = remote_partitions && tree.pools.count(pool) > 0;
    return UniqueFd(is_there ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : -1);
}

UniqueFd FakeCgroups::watch_lease(const LeaseGroup& group) {
    const bool is_there = remote_partitions && find_placed(group) != nullptr;
    return UniqueFd(is_there ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : -1);
}

Status FakeCgroups::return_lost(const CpuSet& cpus) {
    calls.push_back("return_lost " + cpus.to_cpulist());
    CMK_TRY(may_call());
    lost -= cpus;
    return {};
}

Result<std::vector<int>> FakeCgroups::members(const LeaseGroup& group) {
    CMK_TRY(may_call());
    if (is_placed(group)) {
        const PlacedGroup* placed = find_placed(group);
        if (placed == nullptr) return fails(ENOENT);
        return std::vector<int>(placed->pids.begin(), placed->pids.end());
    }
    const Group* found = find(group);
    if (found == nullptr) return fails(ENOENT);
    return std::vector<int>(found->pids.begin(), found->pids.end());
}

Result<std::vector<std::string>> FakeCgroups::pools() {
    CMK_TRY(may_call());
    std::vector<std::string> names;
    for (const auto& [name, pool] : tree.pools)
        names.push_back(name);
    return names;
}

Result<std::vector<FoundGroup>> FakeCgroups::leases() {
    CMK_TRY(may_call());
    std::vector<FoundGroup> found;
    for (const auto& [pool, pool_group] : tree.pools) {
        for (const auto& [lease, group] : pool_group.leases)
            found.push_back({{pool, lease}, group.cpus});
    }
    return found;
}

}  // namespace cmk
