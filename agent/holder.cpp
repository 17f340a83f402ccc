// SPDX-License-Identifier: Apache-2.0
#include "agent/holder.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <vector>

#include "agent/cpu_census.h"
#include "agent/partition_files.h"
#include "base/file_io.h"
#include "base/text.h"
#include "core/caller.h"

namespace cmk {

namespace {

constexpr const char* kMounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
constexpr int kPatienceSeconds = 20;

/// The cgroup v2 mount point; one without cgroup.controllers is none.
UniqueFd open_v2() {
    for (const char* mount : kMounts) {
        const std::string file = std::string(mount) + "/cgroup.controllers";
        if (::access(file.c_str(), F_OK) != 0) continue;
        if (auto top = open_dir_at(AT_FDCWD, mount)) return *std::move(top);
    }
    return {};
}

std::vector<std::string> groups_in(int top, const std::string& path) {
    std::vector<std::string> found;
    const auto names = list_dir_at(top, path);
    for (const std::string& name : names ? *names : std::vector<std::string>{}) {
        struct stat info {};
        const std::string child = path + "/" + name;
        if (::fstatat(top, child.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISDIR(info.st_mode)) {
            found.push_back(child);
        }
    }
    return found;
}

std::vector<std::string> pools_in(int top, const std::string& home) {
    std::vector<std::string> pools = groups_in(top, home);
    std::erase_if(
        pools, [&](const std::string& path) { return is_kept_name(path.substr(home.size() + 1)); });
    return pools;
}

std::vector<int> members(int top, const std::string& group) {
    std::vector<int> pids;
    const auto text = read_file_at(top, group + "/cgroup.procs");
    for (const std::string_view line : split(text ? *text : "", '\n')) {
        const auto pid = parse_unsigned(line);
        if (pid && *pid > 0) pids.push_back(static_cast<int>(*pid));
    }
    return pids;
}

std::vector<int> all_members(int top) {
    std::vector<int> pids;
    for (const char* home : {kHolderUnit, kPartitionUnit}) {
        for (const std::string& pool : pools_in(top, home)) {
            for (const std::string& lease : groups_in(top, pool)) {
                for (const int pid : members(top, lease))
                    pids.push_back(pid);
            }
        }
    }
    return pids;
}

/// Waits for one process that is held by its pidfd; false when the time is over.
bool wait_for_end(int pidfd, std::time_t deadline) {
    const std::time_t now = std::time(nullptr);
    pollfd wait{pidfd, POLLIN, 0};
    const int left = now < deadline ? static_cast<int>(deadline - now) * 1000 : 0;
    return ::poll(&wait, 1, left) > 0;
}

void unpin(int pid, const CpuSet& cpus) {
    constexpr std::size_t kWords = kMaxCpus / 8 / sizeof(unsigned long);
    unsigned long mask[kWords] = {};
    constexpr unsigned kBits = 8 * sizeof(unsigned long);
    cpus.for_each([&](unsigned cpu) { mask[cpu / kBits] |= 1UL << (cpu % kBits); });
    const auto tids = list_dir_at(AT_FDCWD, "/proc/" + std::to_string(pid) + "/task");
    for (const std::string& name : tids ? *tids : std::vector<std::string>{}) {
        const auto tid = parse_unsigned(name);
        if (tid) ::syscall(SYS_sched_setaffinity, static_cast<pid_t>(*tid), sizeof mask, mask);
    }
}

void widen_lease(int top, const std::string& lease, const CpuSet& cpus) {
    (void)write_file_at(top, lease + "/cpuset.cpus", cpus.to_cpulist());
    for (const int pid : members(top, lease))
        unpin(pid, cpus);
}

Status dissolve_pool(int top, const std::string& pool, const CpuSet& cpus) {
    Status done;
    if (read_partition(top, pool)) done = write_partition(top, pool, PartitionType::member);
    // Kernels without remote partitions have no such file.
    (void)set_exclusive(top, {pool}, {});
    (void)write_file_at(top, pool + "/cpuset.cpus", cpus.to_cpulist());
    for (const std::string& lease : groups_in(top, pool)) {
        widen_lease(top, lease, cpus);
        ::unlinkat(top, lease.c_str(), AT_REMOVEDIR);
    }
    ::unlinkat(top, pool.c_str(), AT_REMOVEDIR);
    return done;
}

/// Leases in containers: their groups stay with the containers, and with everybody's CPUs. Others'
/// claims on CPUs are not touched.
void dissolve_placed(int top, const CpuSet& online) {
    std::vector<std::string> claims = list_exclusive(top, online);
    CpuSet cpus;
    for (const std::string& path : claims) {
        if (container_group(path) == path) continue;
        cpus |= read_cpus(top, path, "/cpuset.cpus.exclusive");
        (void)write_partition(top, path, PartitionType::member);
        (void)write_file_at(top, path + "/cpuset.cpus", online.to_cpulist());
    }
    // From the leaf: the walk lists parents first.
    (void)drop_exclusive(top, claims, cpus);
}

Status dissolve_home(int top, const std::string& home, const CpuSet& cpus) {
    const std::string slice = home.substr(0, home.find('/'));
    if (::faccessat(top, slice.c_str(), F_OK, 0) != 0) return {};
    Status first;
    // A local partition is the slice; its members follow.
    if (const auto state = read_partition(top, slice); state && state->text != "member") {
        first = write_partition(top, slice, PartitionType::member);
        (void)write_file_at(top, slice + "/cpuset.cpus", cpus.to_cpulist());
    }
    for (const std::string& pool : pools_in(top, home)) {
        const Status done = dissolve_pool(top, pool, cpus);
        if (first && !done) first = done;
    }
    (void)set_exclusive(top, {slice, home}, {});
    return first;
}

}  // namespace

Status make_room_for_leases() {
    const UniqueFd top = open_v2();
    if (!top) return {};
    CMK_TRY_ASSIGN(const std::string text, read_file_at(AT_FDCWD, "/proc/self/cgroup"));
    const std::size_t at = text.find("0::/");
    const std::string own = at == std::string::npos ? "" : text.substr(at + 4);
    const std::string group = own.substr(0, own.find('\n')) + "/" + kHolderGroup;
    if (::mkdirat(top.get(), group.c_str(), 0755) < 0 && errno != EEXIST) {
        return errno_error(errno, "cannot make " + group);
    }
    return write_file_at(top.get(), group + "/cgroup.procs", "0");
}

Status end_leases() {
    const UniqueFd top = open_v2();
    const std::time_t deadline = std::time(nullptr) + kPatienceSeconds;
    for (;;) {
        const std::vector<int> pids = top ? all_members(top.get()) : std::vector<int>{};
        if (pids.empty()) return {};
        std::vector<UniqueFd> running;
        for (const int pid : pids) {
            UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
            if (!pidfd) continue;
            ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGTERM, nullptr, 0);
            running.push_back(std::move(pidfd));
        }
        for (const UniqueFd& pidfd : running) {
            if (wait_for_end(pidfd.get(), deadline)) continue;
            return make_error(Errc::timed_out, "leased programs still run after " +
                                                   std::to_string(kPatienceSeconds) + " seconds");
        }
    }
}

Status dissolve() {
    const UniqueFd top = open_v2();
    if (!top) return {};
    CMK_TRY_ASSIGN(const std::string text,
                   read_file_at(AT_FDCWD, "/sys/devices/system/cpu/online"));
    CMK_TRY_ASSIGN(const CpuSet online, CpuSet::parse(text));
    dissolve_placed(top.get(), online);
    const Status first = dissolve_home(top.get(), kHolderUnit, online);
    const Status second = dissolve_home(top.get(), kPartitionUnit, online);
    return first ? second : first;
}

}  // namespace cmk
