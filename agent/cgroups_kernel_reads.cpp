// SPDX-License-Identifier: Apache-2.0
// What the kernel says; cgroups_kernel.cpp has what changes it.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "agent/cgroups_kernel.h"
#include "agent/cpu_census.h"
#include "agent/partition_files.h"
#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

constexpr char kCpus[] = "/cpuset.cpus";
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

std::string CgroupsKernel::mechanism() const {
    if (is_v1()) return "cgroup v1 cpuset";
    return abilities_.remote_partitions ? "cgroup v2 partitions" : "cgroup v2 cpuset";
}

std::string CgroupsKernel::path_in(const std::string& proc_cgroup) const {
    return path_from_proc(proc_cgroup, is_v1());
}

std::optional<Place> CgroupsKernel::place_for(CallerKind caller, const std::string& path) const {
    return placed_ ? placed_->place_for(caller, path) : Place{};
}

bool CgroupsKernel::is_alone(const std::string& path, int pid) const {
    const std::string group = path.substr(std::min(path.size(), path.find_first_not_of('/')));
    const auto text = read_file_at(top_.get(), group + kProcs);
    return text && trim(*text) == std::to_string(pid);
}

Result<Confinement> CgroupsKernel::confinement(const LeaseGroup& group) {
    if (is_placed(group)) return placed_->confinement(group);
    const char* file = is_v1() ? "/cpuset.effective_cpus" : "/cpuset.cpus.effective";
    CMK_TRY_ASSIGN(const std::string text, read_file_at(top_.get(), path_of(group) + file));
    Confinement found;
    CMK_TRY_ASSIGN(found.effective, CpuSet::parse(text));
    if (!abilities_.remote_partitions) return found;
    CMK_TRY(judge_exclusive(top_.get(), path_of(group.pool), found));
    return found;
}

CpuSet CgroupsKernel::allowed_in(const std::string& path) {
    const char* file = is_v1() ? "cpuset.effective_cpus" : "cpuset.cpus.effective";
    // Where the controller is not handed down, the nearest parent's CPUs count.
    for (std::string at = path.substr(std::min(path.size(), path.find_first_not_of('/')));;) {
        const CpuSet cpus = read_cpus(top_.get(), at.empty() ? "." : at, "/" + std::string(file));
        if (!cpus.empty() || at.empty()) return cpus;
        const std::size_t slash = at.rfind('/');
        at.resize(slash == std::string::npos ? 0 : slash);
    }
}

PoolState CgroupsKernel::pool_state(const std::string& pool) {
    PoolState state{.cpus = read_cpus(top_.get(), path_of(pool), kCpus)};
    if (abilities_.remote_partitions) read_partition_into(top_.get(), path_of(pool), state);
    return state;
}

std::string CgroupsKernel::rivals(const std::string& pool, const CpuSet& cpus) {
    const std::string slice = home_.path.substr(0, home_.path.find('/'));
    const std::string others = name_rivals(top_.get(), slice, cpus);
    return others.empty() ? name_siblings(top_.get(), path_of(pool), cpus) : others;
}

UniqueFd CgroupsKernel::watch_partition(const std::string& pool) {
    if (!abilities_.remote_partitions) return {};
    const std::string path = path_of(pool) + "/cpuset.cpus.partition";
    return UniqueFd(::openat(top_.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
}

UniqueFd CgroupsKernel::watch_lease(const LeaseGroup& group) {
    return is_placed(group) ? placed_->watch(group) : UniqueFd{};
}

bool CgroupsKernel::clear_stale(const CpuSet& cpus, const std::vector<FoundGroup>& live) {
    return placed_ && placed_->clear_stale(cpus, live, home_.path.substr(0, home_.path.find('/')));
}

std::string CgroupsKernel::home_problem() {
    if (!home_.delegated) return "";
    const auto events = read_file_at(top_.get(), holder_events());
    if (events && events->find("populated 1") != std::string::npos) return "";
    const std::string unit = home_.path.substr(home_.path.rfind('/') + 1);
    return unit +
           " has lost its process: leases hold, but would not be asked to end at shutdown. " +
           "systemd starts it again as soon as no lease is left (systemctl status " + unit + ")";
}

std::vector<UniqueFd> CgroupsKernel::watch_homes() {
    std::vector<UniqueFd> files;
    if (!home_.delegated) return files;
    UniqueFd file(::openat(top_.get(), holder_events().c_str(), O_RDONLY | O_CLOEXEC));
    if (file) files.push_back(std::move(file));
    return files;
}

Result<CpuSet> CgroupsKernel::lost_cpus() {
    if (is_v1() || !home_.delegated) return CpuSet{};
    CMK_TRY_ASSIGN(const std::string text,
                   read_file_at(AT_FDCWD, "/sys/devices/system/cpu/online"));
    CMK_TRY_ASSIGN(const CpuSet online, CpuSet::parse(text));
    return find_lost(top_.get(), online);
}

Status CgroupsKernel::return_lost(const CpuSet& cpus) {
    return return_to_everybody(top_.get(), cpus);
}

Result<std::vector<int>> CgroupsKernel::members(const LeaseGroup& group) {
    if (is_placed(group)) return placed_->members(group);
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
    CMK_TRY_ASSIGN(std::vector<std::string> names, groups_in(home_.path));
    if (home_.delegated) {
        std::erase_if(names, [](const std::string& name) { return is_kept_name(name); });
    }
    return names;
}

Result<std::vector<FoundGroup>> CgroupsKernel::leases() {
    std::vector<FoundGroup> found;
    CMK_TRY_ASSIGN(const auto pool_names, pools());
    for (const std::string& pool : pool_names) {
        CMK_TRY_ASSIGN(const auto ids, groups_in(path_of(pool)));
        for (const std::string& id : ids) {
            found.push_back({{pool, id}, read_cpus(top_.get(), path_of(pool) + "/" + id, kCpus)});
        }
    }
    return found;
}

}  // namespace cmk
