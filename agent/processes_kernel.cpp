// SPDX-License-Identifier: Apache-2.0
#include "agent/processes_kernel.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

constexpr int kAffinityRounds = 16;

std::string proc_path(int pid, const char* file) {
    return "/proc/" + std::to_string(pid) + "/" + file;
}

/// The rest of the line that starts with `key`, trimmed.
std::optional<std::string_view> field(std::string_view text, std::string_view key) {
    for (const std::string_view line : split(text, '\n')) {
        if (line.starts_with(key)) return trim(line.substr(key.size()));
    }
    return std::nullopt;
}

Error ended() {
    return make_error(Errc::unavailable, "the process has ended");
}

/// comm and start time from /proc/PID/stat; comm stands in the outermost parentheses.
Status read_stat(int pid, ProcessInfo& info) {
    const auto text = read_file_at(AT_FDCWD, proc_path(pid, "stat"));
    if (!text) return ended();
    const std::size_t open = text->find('(');
    const std::size_t close = text->rfind(')');
    if (open == std::string::npos || close == std::string::npos || close < open) {
        return make_error(Errc::internal, "cannot read " + proc_path(pid, "stat"));
    }
    info.command = text->substr(open + 1, close - open - 1);
    const auto fields = split(std::string_view(*text).substr(close + 2), ' ');
    // Field 22 of the line is the 20th after comm.
    const auto start = fields.size() > 19 ? parse_unsigned(fields[19]) : std::nullopt;
    if (!start) return make_error(Errc::internal, "cannot read " + proc_path(pid, "stat"));
    info.start_time = *start;
    return {};
}

/// The capabilities that a process may ever have, from /proc/PID/status.
std::uint64_t bounding_set(std::string_view status) {
    const auto digits = field(status, "CapBnd:");
    std::uint64_t set = ~std::uint64_t{0};
    if (digits) std::from_chars(digits->data(), digits->data() + digits->size(), set, 16);
    return set;
}

/// Those of the host's programs.
std::uint64_t host_bounding_set() {
    static const std::uint64_t set = [] {
        const auto status = read_file_at(AT_FDCWD, proc_path(1, "status"));
        return status ? bounding_set(*status) : 0;
    }();
    return set;
}

/// uid, PID namespace depth and capabilities from /proc/PID/status.
Status read_status(int pid, ProcessInfo& info) {
    const auto text = read_file_at(AT_FDCWD, proc_path(pid, "status"));
    if (!text) return ended();
    const auto uids = field(*text, "Uid:");
    const auto uid = uids ? parse_unsigned(split(*uids, '\t').front(), UINT32_MAX) : std::nullopt;
    if (!uid) return make_error(Errc::internal, "cannot read " + proc_path(pid, "status"));
    info.uid = static_cast<unsigned>(*uid);
    if (const auto ids = field(*text, "NSpid:")) {
        info.pid_namespace_depth = static_cast<unsigned>(split(*ids, '\t').size());
    }
    info.confined = (host_bounding_set() & ~bounding_set(*text)) != 0;
    return {};
}

/// A cpu_set_t large enough for kMaxCpus.
struct KernelMask {
    unsigned long words[kMaxCpus / (8 * sizeof(unsigned long))] = {};
};

CpuSet from_kernel(const KernelMask& mask) {
    constexpr unsigned kBits = 8 * sizeof(unsigned long);
    CpuSet cpus;
    for (unsigned cpu = 0; cpu < kMaxCpus; ++cpu) {
        if (((mask.words[cpu / kBits] >> (cpu % kBits)) & 1) != 0) cpus.add(cpu);
    }
    return cpus;
}

KernelMask to_kernel(const CpuSet& cpus) {
    constexpr unsigned kBits = 8 * sizeof(unsigned long);
    KernelMask mask;
    cpus.for_each([&](unsigned cpu) { mask.words[cpu / kBits] |= 1UL << (cpu % kBits); });
    return mask;
}

int set_mask(int tid, const CpuSet& cpus) {
    const KernelMask mask = to_kernel(cpus);
    return ::sched_setaffinity(tid, sizeof mask, reinterpret_cast<const cpu_set_t*>(&mask)) < 0
               ? errno
               : 0;
}

std::vector<int> threads_of(int pid) {
    std::vector<int> tids;
    const auto names = list_dir_at(AT_FDCWD, proc_path(pid, "task"));
    if (!names) return tids;
    for (const std::string& name : *names) {
        if (const auto tid = parse_unsigned(name)) tids.push_back(static_cast<int>(*tid));
    }
    return tids;
}

}  // namespace

Result<int> ProcessesKernel::pid_of(int pidfd) {
    CMK_TRY_ASSIGN(const std::string text,
                   read_file_at(AT_FDCWD, "/proc/self/fdinfo/" + std::to_string(pidfd)));
    const auto pid = field(text, "Pid:");
    if (!pid) return make_error(Errc::invalid_argument, "the file descriptor is not a pidfd");
    if (*pid == "-1") return ended();
    const auto number = parse_unsigned(*pid, INT32_MAX);
    if (!number || *number == 0) {
        return make_error(Errc::unavailable,
                          "the process is outside the agent's PID namespace, which cannot see it; "
                          "run the agent in the host's PID namespace");
    }
    return static_cast<int>(*number);
}

bool ProcessesKernel::has_ended(int pidfd) {
    pollfd poll_fd{pidfd, POLLIN, 0};
    return ::poll(&poll_fd, 1, 0) != 0;
}

Result<ProcessInfo> ProcessesKernel::inspect(int pidfd) {
    ProcessInfo info;
    CMK_TRY_ASSIGN(info.pid, pid_of(pidfd));
    CMK_TRY(read_stat(info.pid, info));
    CMK_TRY(read_status(info.pid, info));
    const auto cgroup = read_file_at(AT_FDCWD, proc_path(info.pid, "cgroup"));
    if (!cgroup || has_ended(pidfd)) return ended();
    info.cgroup_text = *cgroup;
    return info;
}

Result<UniqueFd> ProcessesKernel::open(int pid, std::uint64_t start_time) {
    UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd && errno == ESRCH) return ended();
    if (!pidfd) return errno_error(errno, "cannot open process " + std::to_string(pid));
    if (start_time == 0) return pidfd;
    ProcessInfo info;
    CMK_TRY(read_stat(pid, info));
    if (info.start_time != start_time || has_ended(pidfd.get())) return ended();
    return pidfd;
}

std::vector<ThreadMask> ProcessesKernel::masks(int pid) {
    std::vector<ThreadMask> masks;
    for (const int tid : threads_of(pid)) {
        KernelMask mask;
        if (::sched_getaffinity(tid, sizeof mask, reinterpret_cast<cpu_set_t*>(&mask)) == 0) {
            masks.push_back({tid, from_kernel(mask)});
        }
    }
    // The main thread first: its mask is what others are taken to have inherited.
    std::stable_sort(masks.begin(), masks.end(), [&](const ThreadMask& a, const ThreadMask& b) {
        return a.tid == pid && b.tid != pid;
    });
    return masks;
}

Status ProcessesKernel::set_affinity(int pid, const CpuSet& cpus) {
    std::vector<int> done;
    // A thread may start others meanwhile; those inherit a mask that was set or is set next round.
    for (int round = 0; round < kAffinityRounds; ++round) {
        bool found_new = false;
        for (const int tid : threads_of(pid)) {
            if (std::find(done.begin(), done.end(), tid) != done.end()) continue;
            const int error = set_mask(tid, cpus);
            if (error != 0 && error != ESRCH) {
                return errno_error(error, "cannot set the affinity of thread " +
                                              std::to_string(tid) + " to " + cpus.to_cpulist());
            }
            done.push_back(tid);
            found_new = true;
        }
        if (!found_new) return {};
    }
    return {};
}

void ProcessesKernel::restore(int pid, const std::vector<ThreadMask>& masks) {
    if (masks.empty()) return;
    for (const int tid : threads_of(pid)) {
        const auto known = std::find_if(masks.begin(), masks.end(),
                                        [&](const ThreadMask& mask) { return mask.tid == tid; });
        set_mask(tid, known == masks.end() ? masks.front().cpus : known->cpus);
    }
}

}  // namespace cmk
