// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroups_kernel.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "agent/cgroup_limits.h"
#include "agent/cpu_census.h"
#include "agent/partition_files.h"
#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

constexpr char kCpus[] = "/cpuset.cpus";
constexpr char kMems[] = "/cpuset.mems";
constexpr char kProcs[] = "/cgroup.procs";

}  // namespace

CgroupsKernel::CgroupsKernel(const CpusetMount& mount, const Home& home, UniqueFd top)
    : version_(mount.version),
      home_(home),
      abilities_{.cpusets = true},
      mount_path_(mount.path),
      top_(std::move(top)) {}

Result<std::unique_ptr<CgroupsKernel>> CgroupsKernel::open(const CpusetMount& mount,
                                                           const Home& home,
                                                           std::shared_ptr<SystemdUnits> units) {
    CMK_TRY_ASSIGN(UniqueFd top, open_dir_at(AT_FDCWD, mount.path));
    std::unique_ptr<CgroupsKernel> cgroups(new CgroupsKernel(mount, home, std::move(top)));
    if (cgroups->is_v1()) {
        CMK_TRY_ASSIGN(const std::string mems, read_file_at(cgroups->top_.get(), "cpuset.mems"));
        cgroups->mems_ = trim(mems);
    }
    const bool exists = cgroups->exists(home.path);
    if (home.delegated && !exists) {
        return make_error(Errc::unavailable, mount.path + "/" + home.path +
                                                 " is not there; start the unit that holds the "
                                                 "leases: systemctl start cmk-leases");
    }
    cgroups->abilities_.remote_partitions =
        home.delegated && cgroups->exists(home.path + "/cpuset.cpus.exclusive");
    if (!cgroups->is_v1()) {
        cgroups->placed_.emplace(cgroups->top_.get(), cgroups->abilities_.remote_partitions,
                                 std::move(units));
    }
    if (exists) CMK_TRY(cgroups->claim_root());
    return cgroups;
}

bool CgroupsKernel::exists(const std::string& path) const {
    return ::faccessat(top_.get(), path.c_str(), F_OK, 0) == 0;
}

std::string CgroupsKernel::path_of(const LeaseGroup& group) const {
    return path_of(group.pool) + "/" + group.lease;
}

Status CgroupsKernel::claim_root() {
    CMK_TRY_ASSIGN(UniqueFd root, open_dir_at(top_.get(), home_.path));
    if (::flock(root.get(), LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK) return errno_error(errno, "cannot lock " + home_.path);
        return make_error(Errc::conflict, "another agent holds " + mount_path_ + "/" + home_.path +
                                              "; end it, or set another name in [cgroup]");
    }
    claim_ = std::move(root);
    return {};
}

/// A unit's group that was stopped and started again is another one of the same name.
bool CgroupsKernel::holds_claim() const {
    struct stat held {};
    struct stat there {};
    return claim_ && ::fstat(claim_.get(), &held) == 0 &&
           ::fstatat(top_.get(), home_.path.c_str(), &there, 0) == 0 && held.st_ino == there.st_ino;
}

Status CgroupsKernel::make_root() {
    if (holds_claim()) return {};
    claim_.reset();
    if (home_.delegated) return claim_root();
    // On v2 the parent has to hand the controller down before a child has cpuset files.
    if (!is_v1()) (void)write_file_at(top_.get(), "cgroup.subtree_control", "+cpuset");
    if (::mkdirat(top_.get(), home_.path.c_str(), 0755) < 0 && errno != EEXIST) {
        return errno_error(errno, "cannot make " + mount_path_ + "/" + home_.path);
    }
    return claim_root();
}

/// Children get the controllers that leases need; v1 has no such step.
Status CgroupsKernel::hand_down(const std::string& path) {
    if (is_v1()) return write_file_at(top_.get(), path + kMems, mems_);
    return write_file_at(top_.get(), path + "/cgroup.subtree_control",
                         home_.delegated ? "+cpuset +memory +pids" : "+cpuset");
}

Status CgroupsKernel::set_root(const CpuSet& cpus) {
    if (cpus.empty()) {
        if (!claim_ || home_.delegated) return {};
        CMK_TRY(remove_group(home_.path));
        claim_.reset();
        return {};
    }
    CMK_TRY(make_root());
    // A unit's own CPUs are systemd's to set; without any, its children may use all.
    if (!home_.delegated) CMK_TRY(set_cpus(home_.path, cpus));
    return hand_down(home_.path);
}

Status CgroupsKernel::set_reserved(const CpuSet& cpus) {
    if (!abilities_.remote_partitions) return {};
    const std::vector<std::string> chain = chain_to(home_.path);
    Status done = set_exclusive(top_.get(), chain, cpus);
    if (done || done.error().sys_errno != EINVAL) return done;
    return make_error(Errc::conflict, "CPUs " + cpus.to_cpulist() +
                                          " cannot be reserved: some are held" +
                                          name_rivals(top_.get(), chain.front(), cpus) +
                                          "; free them there, or give the pools other CPUs");
}

Status CgroupsKernel::make_group(const std::string& path, const CpuSet& cpus) {
    // An empty one left by a crash is taken over; a filled one makes the next steps fail.
    if (::mkdirat(top_.get(), path.c_str(), 0755) < 0 && errno != EEXIST) {
        return errno_error(errno, "cannot make " + mount_path_ + "/" + path);
    }
    Status done = set_cpus(path, cpus);
    if (done && is_v1()) done = write_file_at(top_.get(), path + kMems, mems_);
    if (!done) ::unlinkat(top_.get(), path.c_str(), AT_REMOVEDIR);
    return done;
}

Status CgroupsKernel::set_cpus(const std::string& path, const CpuSet& cpus) {
    return write_file_at(top_.get(), path + kCpus, cpus.to_cpulist());
}

/// A group's CPUs and what it is to the rest of the machine.
Status CgroupsKernel::put_into_partition(const std::string& pool, const CpuSet& cpus,
                                         PartitionType type) {
    if (!abilities_.remote_partitions) return set_cpus(path_of(pool), cpus);
    const bool is_member = type == PartitionType::member;
    const std::string path = path_of(pool);
    if (is_member) CMK_TRY(write_partition(top_.get(), path, type));
    CMK_TRY(set_exclusive(top_.get(), {path}, is_member ? CpuSet{} : cpus));
    CMK_TRY(set_cpus(path, cpus));
    Status done = write_partition(top_.get(), path, type);
    if (!done && done.error().code == Errc::conflict) {
        const std::string others = rivals(pool, cpus);
        done.error().message += "; CPUs " + cpus.to_cpulist() + " are wanted" +
                                (others.empty() ? " by another group" : others) +
                                ". Free them there, or give the pool other CPUs";
    }
    return done;
}

Status CgroupsKernel::make_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) {
    const std::string path = path_of(pool);
    // The unit may have been started anew meanwhile.
    if (home_.delegated) CMK_TRY(set_root(cpus));
    CMK_TRY(make_group(path, cpus));
    Status done = put_into_partition(pool, cpus, type);
    if (done && !is_v1()) done = hand_down(path);
    if (!done) (void)remove_pool(pool);
    return done;
}

Status CgroupsKernel::set_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) {
    return put_into_partition(pool, cpus, type);
}

Status CgroupsKernel::remove_group(const std::string& path) {
    if (::unlinkat(top_.get(), path.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) {
        return errno_error(errno, "cannot remove " + mount_path_ + "/" + path);
    }
    return {};
}

Status CgroupsKernel::remove_pool(const std::string& pool) {
    return remove_group(path_of(pool));
}

Status CgroupsKernel::make_lease(const LeaseGroup& group, const CpuSet& cpus, PartitionType type) {
    if (is_placed(group)) return placed_->make(group, cpus, type);
    return make_group(path_of(group), cpus);
}

Status CgroupsKernel::remove_lease(const LeaseGroup& group, const CpuSet& cpus) {
    if (is_placed(group)) return placed_->remove(group, cpus);
    return remove_group(path_of(group));
}

Status CgroupsKernel::copy_limits(const LeaseGroup& group, const std::string& path) {
    // In place it has not left them.
    if (!home_.delegated || is_placed(group)) return {};
    return copy_tightest_limits(top_.get(), path, path_of(group));
}

Status CgroupsKernel::attach(const LeaseGroup& group, int pid) {
    if (is_placed(group)) return placed_->attach(group, pid);
    return write_file_at(top_.get(), path_of(group) + kProcs, std::to_string(pid));
}

Status CgroupsKernel::move_to(const std::string& path, int pid) {
    // The group it came from may be gone, or on v2 have children now: its parents are next best.
    std::string relative(path.substr(std::min(path.size(), path.find_first_not_of('/'))));
    for (;;) {
        // On some v2 kernels a process in the root group may use CPUs of every partition.
        if (relative.empty() && home_.delegated) return keep_released(pid);
        const std::string file = relative.empty() ? std::string(kProcs + 1) : relative + kProcs;
        Status moved = write_file_at(top_.get(), file, std::to_string(pid));
        if (moved || moved.error().sys_errno == ESRCH || relative.empty()) return moved;
        const std::size_t slash = relative.rfind('/');
        relative.resize(slash == std::string::npos ? 0 : slash);
    }
}

/// A place without CPUs of its own, beside the pools.
Status CgroupsKernel::keep_released(int pid) {
    const std::string path = path_of(kReleasedGroup);
    if (::mkdirat(top_.get(), path.c_str(), 0755) < 0 && errno != EEXIST) {
        return errno_error(errno, "cannot make " + mount_path_ + "/" + path);
    }
    return write_file_at(top_.get(), path + kProcs, std::to_string(pid));
}

}  // namespace cmk
