// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroups_local.h"

#include <fcntl.h>

#include "agent/cpu_census.h"
#include "agent/partition_files.h"
#include "base/file_io.h"

namespace cmk {

namespace {

constexpr char kPartitionFile[] = "/cpuset.cpus.partition";
constexpr char kCpus[] = "/cpuset.cpus";

Result<CpuSet> online_cpus() {
    CMK_TRY_ASSIGN(const std::string text,
                   read_file_at(AT_FDCWD, "/sys/devices/system/cpu/online"));
    return CpuSet::parse(text);
}

}  // namespace

CgroupsLocal::CgroupsLocal(std::unique_ptr<CgroupsKernel> members,
                           std::unique_ptr<CgroupsKernel> local, std::string slice,
                           std::shared_ptr<SystemdUnits> units, UniqueFd top)
    : members_(std::move(members)),
      local_(std::move(local)),
      slice_(std::move(slice)),
      units_(std::move(units)),
      top_(std::move(top)) {
    const auto found = local_->pools();
    if (found) local_pools_.insert(found->begin(), found->end());
}

Result<std::unique_ptr<CgroupsLocal>> CgroupsLocal::open(const CpusetMount& mount,
                                                         std::unique_ptr<CgroupsKernel> members,
                                                         const Home& local,
                                                         std::shared_ptr<SystemdUnits> units) {
    CMK_TRY_ASSIGN(UniqueFd top, open_dir_at(AT_FDCWD, mount.path));
    CMK_TRY_ASSIGN(auto home, CgroupsKernel::open(mount, local));
    return std::make_unique<CgroupsLocal>(std::move(members), std::move(home),
                                          local.path.substr(0, local.path.find('/')),
                                          std::move(units), std::move(top));
}

Abilities CgroupsLocal::abilities() const {
    Abilities abilities = members_->abilities();
    abilities.local_partitions = true;
    return abilities;
}

CgroupsKernel& CgroupsLocal::home_of(const std::string& pool) {
    return is_local(pool) ? *local_ : *members_;
}

/// Groups in place are in neither home.
CgroupsKernel& CgroupsLocal::home_of(const LeaseGroup& group) {
    return group.place.kind == PlaceKind::pool ? home_of(group.pool) : *members_;
}

std::string CgroupsLocal::path_in(const std::string& proc_cgroup) const {
    return members_->path_in(proc_cgroup);
}

Status CgroupsLocal::set_root(const CpuSet& cpus) {
    CMK_TRY(members_->set_root(cpus));
    return local_->set_root(cpus);
}

Status CgroupsLocal::set_reserved(const CpuSet& cpus) {
    return cpus.empty() ? give_back() : take(cpus);
}

Status CgroupsLocal::take(const CpuSet& cpus) {
    const CpuSet before = read_cpus(top_.get(), slice_, kCpus);
    CMK_TRY_ASSIGN(const PartitionState held, read_partition(top_.get(), slice_));
    // systemd writes cpuset.cpus; a live partition follows it.
    CMK_TRY(units_->set_allowed_cpus(slice_, cpus));
    Status done = write_partition(top_.get(), slice_, PartitionType::root);
    if (done) return {};
    if (done.error().code == Errc::conflict) {
        done.error().message += "; CPUs " + cpus.to_cpulist() + " are wanted" +
                                name_siblings(top_.get(), slice_, cpus) +
                                ". Take them out of AllowedCPUs= there, or give the pool other "
                                "CPUs";
    }
    if (held.type == PartitionType::member || !held.valid) {
        (void)give_back();
    } else if (units_->set_allowed_cpus(slice_, before)) {
        (void)write_partition(top_.get(), slice_, PartitionType::root);
    }
    return done;
}

Status CgroupsLocal::give_back() {
    // Some kernels lose the CPUs of a partition that is emptied: first it becomes a member.
    CMK_TRY(write_partition(top_.get(), slice_, PartitionType::member));
    CMK_TRY_ASSIGN(const CpuSet online, online_cpus());
    return units_->set_allowed_cpus(slice_, online);
}

Status CgroupsLocal::make_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) {
    const bool local = type != PartitionType::member;
    CgroupsKernel& home = local ? *local_ : *members_;
    CMK_TRY(home.make_pool(pool, cpus, PartitionType::member));
    if (local) local_pools_.insert(pool);
    return {};
}

Status CgroupsLocal::set_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) {
    if (is_local(pool) == (type != PartitionType::member)) {
        if (is_local(pool)) CMK_TRY(write_partition(top_.get(), slice_, PartitionType::root));
        return home_of(pool).set_pool(pool, cpus, PartitionType::member);
    }
    // The other home: the group is made anew, which the kernel refuses while leases are in it.
    CMK_TRY(remove_pool(pool));
    return make_pool(pool, cpus, type);
}

Status CgroupsLocal::remove_pool(const std::string& pool) {
    CMK_TRY(home_of(pool).remove_pool(pool));
    local_pools_.erase(pool);
    return {};
}

Status CgroupsLocal::make_lease(const LeaseGroup& group, const CpuSet& cpus, PartitionType type) {
    return home_of(group).make_lease(group, cpus, type);
}

Status CgroupsLocal::remove_lease(const LeaseGroup& group, const CpuSet& cpus) {
    return home_of(group).remove_lease(group, cpus);
}

Status CgroupsLocal::copy_limits(const LeaseGroup& group, const std::string& path) {
    return home_of(group).copy_limits(group, path);
}

Status CgroupsLocal::attach(const LeaseGroup& group, int pid) {
    return home_of(group).attach(group, pid);
}

Status CgroupsLocal::move_to(const std::string& path, int pid) {
    return members_->move_to(path, pid);
}

Result<Confinement> CgroupsLocal::confinement(const LeaseGroup& group) {
    CMK_TRY_ASSIGN(Confinement found, home_of(group).confinement(group));
    if (!is_local(group.pool) || group.place.kind != PlaceKind::pool) return found;
    CMK_TRY(judge_exclusive(top_.get(), slice_, found));
    return found;
}

PoolState CgroupsLocal::pool_state(const std::string& pool) {
    PoolState state = home_of(pool).pool_state(pool);
    if (is_local(pool)) read_partition_into(top_.get(), slice_, state);
    return state;
}

std::string CgroupsLocal::rivals(const std::string& pool, const CpuSet& cpus) {
    return is_local(pool) ? name_siblings(top_.get(), slice_, cpus) : members_->rivals(pool, cpus);
}

UniqueFd CgroupsLocal::watch_partition(const std::string& pool) {
    if (!is_local(pool)) return {};
    const std::string path = slice_ + kPartitionFile;
    return UniqueFd(::openat(top_.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
}

std::string CgroupsLocal::home_problem() {
    const std::string problem = members_->home_problem();
    return problem.empty() ? local_->home_problem() : problem;
}

std::vector<UniqueFd> CgroupsLocal::watch_homes() {
    std::vector<UniqueFd> files = members_->watch_homes();
    for (UniqueFd& file : local_->watch_homes())
        files.push_back(std::move(file));
    return files;
}

Result<CpuSet> CgroupsLocal::lost_cpus() {
    return members_->lost_cpus();
}

Status CgroupsLocal::return_lost(const CpuSet& cpus) {
    return members_->return_lost(cpus);
}

Result<std::vector<int>> CgroupsLocal::members(const LeaseGroup& group) {
    return home_of(group).members(group);
}

Result<std::vector<std::string>> CgroupsLocal::pools() {
    CMK_TRY_ASSIGN(std::vector<std::string> names, members_->pools());
    CMK_TRY_ASSIGN(const auto local, local_->pools());
    names.insert(names.end(), local.begin(), local.end());
    return names;
}

Result<std::vector<FoundGroup>> CgroupsLocal::leases() {
    CMK_TRY_ASSIGN(std::vector<FoundGroup> found, members_->leases());
    CMK_TRY_ASSIGN(const auto local, local_->leases());
    found.insert(found.end(), local.begin(), local.end());
    return found;
}

}  // namespace cmk
