// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroups_kernel.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

constexpr char kCpus[] = "/cpuset.cpus";
constexpr char kMems[] = "/cpuset.mems";
constexpr char kProcs[] = "/cgroup.procs";

/// The path of a /proc/PID/cgroup line: "3:cpuset:/a" (v1, by controller) or "0::/a" (v2).
std::string path_from_proc(const std::string& text, bool v1) {
    for (const std::string_view line : split(text, '\n')) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const std::string_view controllers = line.substr(first + 1, second - first - 1);
        if (!v1 && controllers.empty()) return std::string(line.substr(second + 1));
        for (const std::string_view name : split(controllers, ',')) {
            if (v1 && name == "cpuset") return std::string(line.substr(second + 1));
        }
    }
    return "/";
}

}  // namespace

CgroupsKernel::CgroupsKernel(const CpusetMount& mount, std::string name, UniqueFd top)
    : version_(mount.version),
      name_(std::move(name)),
      mount_path_(mount.path),
      top_(std::move(top)) {}

Result<std::unique_ptr<CgroupsKernel>> CgroupsKernel::open(const CpusetMount& mount,
                                                           const std::string& name) {
    CMK_TRY_ASSIGN(UniqueFd top, open_dir_at(AT_FDCWD, mount.path));
    std::unique_ptr<CgroupsKernel> cgroups(new CgroupsKernel(mount, name, std::move(top)));
    if (cgroups->is_v1()) {
        CMK_TRY_ASSIGN(const std::string mems, read_file_at(cgroups->top_.get(), "cpuset.mems"));
        cgroups->mems_ = trim(mems);
    }
    if (::faccessat(cgroups->top_.get(), name.c_str(), F_OK, 0) == 0) {
        CMK_TRY(cgroups->claim_root());
    }
    return cgroups;
}

std::string CgroupsKernel::mechanism() const {
    return is_v1() ? "cgroup v1 cpuset" : "cgroup v2 cpuset";
}

std::string CgroupsKernel::path_in(const std::string& proc_cgroup) const {
    return path_from_proc(proc_cgroup, is_v1());
}

std::string CgroupsKernel::path_of(const LeaseGroup& group) const {
    return name_ + "/" + group.pool + "/" + group.lease;
}

Status CgroupsKernel::claim_root() {
    CMK_TRY_ASSIGN(UniqueFd root, open_dir_at(top_.get(), name_));
    if (::flock(root.get(), LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK) return errno_error(errno, "cannot lock " + name_);
        return make_error(Errc::conflict, "another agent holds " + mount_path_ + "/" + name_ +
                                              "; end it, or set another name in [cgroup]");
    }
    claim_ = std::move(root);
    return {};
}

Status CgroupsKernel::make_root() {
    if (claim_) return {};
    // On v2 the parent has to hand the controller down before a child has cpuset files.
    if (!is_v1()) (void)write_file_at(top_.get(), "cgroup.subtree_control", "+cpuset");
    if (::mkdirat(top_.get(), name_.c_str(), 0755) < 0 && errno != EEXIST) {
        return errno_error(errno, "cannot make " + mount_path_ + "/" + name_);
    }
    return claim_root();
}

Status CgroupsKernel::set_root(const CpuSet& cpus) {
    if (cpus.empty()) {
        if (!claim_) return {};
        CMK_TRY(remove_group(name_));
        claim_.reset();
        return {};
    }
    CMK_TRY(make_root());
    CMK_TRY(set_cpus(name_, cpus));
    if (is_v1()) return write_file_at(top_.get(), name_ + kMems, mems_);
    return write_file_at(top_.get(), name_ + "/cgroup.subtree_control", "+cpuset");
}

Status CgroupsKernel::make_group(const std::string& path, const CpuSet& cpus, bool is_parent) {
    // An empty one left by a crash is taken over; a filled one makes the next steps fail.
    if (::mkdirat(top_.get(), path.c_str(), 0755) < 0 && errno != EEXIST) {
        return errno_error(errno, "cannot make " + mount_path_ + "/" + path);
    }
    Status done = set_cpus(path, cpus);
    if (done && is_v1()) done = write_file_at(top_.get(), path + kMems, mems_);
    if (done && !is_v1() && is_parent) {
        done = write_file_at(top_.get(), path + "/cgroup.subtree_control", "+cpuset");
    }
    if (!done) ::unlinkat(top_.get(), path.c_str(), AT_REMOVEDIR);
    return done;
}

Status CgroupsKernel::set_cpus(const std::string& path, const CpuSet& cpus) {
    return write_file_at(top_.get(), path + kCpus, cpus.to_cpulist());
}

Status CgroupsKernel::make_pool(const std::string& pool, const CpuSet& cpus) {
    return make_group(name_ + "/" + pool, cpus, true);
}

Status CgroupsKernel::set_pool(const std::string& pool, const CpuSet& cpus) {
    return set_cpus(name_ + "/" + pool, cpus);
}

Status CgroupsKernel::remove_group(const std::string& path) {
    if (::unlinkat(top_.get(), path.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT) {
        return errno_error(errno, "cannot remove " + mount_path_ + "/" + path);
    }
    return {};
}

Status CgroupsKernel::remove_pool(const std::string& pool) {
    return remove_group(name_ + "/" + pool);
}

Status CgroupsKernel::make_lease(const LeaseGroup& group, const CpuSet& cpus) {
    return make_group(path_of(group), cpus, false);
}

Status CgroupsKernel::remove_lease(const LeaseGroup& group) {
    return remove_group(path_of(group));
}

Status CgroupsKernel::attach(const LeaseGroup& group, int pid) {
    return write_file_at(top_.get(), path_of(group) + kProcs, std::to_string(pid));
}

Status CgroupsKernel::move_to(const std::string& path, int pid) {
    // The group it came from may be gone, or on v2 have children now: its parents are next best.
    std::string relative(path.substr(std::min(path.size(), path.find_first_not_of('/'))));
    for (;;) {
        const std::string file = relative.empty() ? std::string(kProcs + 1) : relative + kProcs;
        Status moved = write_file_at(top_.get(), file, std::to_string(pid));
        if (moved || moved.error().sys_errno == ESRCH || relative.empty()) return moved;
        const std::size_t slash = relative.rfind('/');
        relative.resize(slash == std::string::npos ? 0 : slash);
    }
}

Result<CpuSet> CgroupsKernel::effective(const LeaseGroup& group) {
    const char* file = is_v1() ? "/cpuset.effective_cpus" : "/cpuset.cpus.effective";
    CMK_TRY_ASSIGN(const std::string text, read_file_at(top_.get(), path_of(group) + file));
    return CpuSet::parse(text);
}

CpuSet CgroupsKernel::cpus_of(const std::string& path) {
    const auto text = read_file_at(top_.get(), path + kCpus);
    auto cpus = text ? CpuSet::parse(*text) : Result<CpuSet>(text.error());
    return cpus ? *std::move(cpus) : CpuSet{};
}

CpuSet CgroupsKernel::pool_cpus(const std::string& pool) {
    return cpus_of(name_ + "/" + pool);
}

CpuSet CgroupsKernel::root_cpus() {
    return cpus_of(name_);
}

Result<std::vector<int>> CgroupsKernel::members(const LeaseGroup& group) {
    CMK_TRY_ASSIGN(const std::string text, read_file_at(top_.get(), path_of(group) + kProcs));
    std::vector<int> pids;
    for (const std::string_view line : split(text, '\n')) {
        // 0 is a process of another PID namespace, which has no id here.
        if (const auto pid = parse_unsigned(line); pid && *pid > 0) {
            pids.push_back(static_cast<int>(*pid));
        }
    }
    return pids;
}

Result<std::vector<std::string>> CgroupsKernel::groups_in(const std::string& path) {
    CMK_TRY_ASSIGN(std::vector<std::string> names, list_dir_at(top_.get(), path));
    std::erase_if(names, [&](const std::string& name) {
        struct stat info {};
        return ::fstatat(top_.get(), (path + "/" + name).c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0 ||
               !S_ISDIR(info.st_mode);
    });
    return names;
}

Result<std::vector<std::string>> CgroupsKernel::pools() {
    if (!claim_) return std::vector<std::string>{};
    return groups_in(name_);
}

Result<std::vector<FoundGroup>> CgroupsKernel::leases() {
    std::vector<FoundGroup> found;
    CMK_TRY_ASSIGN(const auto pool_names, pools());
    for (const std::string& pool : pool_names) {
        CMK_TRY_ASSIGN(const auto ids, groups_in(name_ + "/" + pool));
        for (const std::string& id : ids) {
            found.push_back({{pool, id}, cpus_of(name_ + "/" + pool + "/" + id)});
        }
    }
    return found;
}

}  // namespace cmk
