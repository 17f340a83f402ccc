// SPDX-License-Identifier: Apache-2.0
#include "support/fake_processes.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#include <cerrno>

#include "base/file_io.h"

namespace cmk {

namespace {

/// The kernel clips masks to the CPUs that there are.
const CpuSet kMachine = CpuSet::first(16);

/// "eventfd-id" of /proc/self/fdinfo: the same for every copy of the descriptor. "" for others.
std::string eventfd_id(int fd) {
    const auto text = read_file_at(AT_FDCWD, "/proc/self/fdinfo/" + std::to_string(fd));
    if (!text) return "";
    const std::size_t at = text->find("eventfd-id:");
    return at == std::string::npos ? "" : text->substr(at, text->find('\n', at) - at);
}

Error ended() {
    return make_error(Errc::unavailable, "the process has ended");
}

UniqueFd duplicate(const UniqueFd& fd) {
    return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
}

}  // namespace

void FakeProcesses::add(int pid, unsigned uid, const std::string& cgroup) {
    Process process;
    process.info.pid = pid;
    process.info.start_time = clock_++;
    process.info.uid = uid;
    process.info.command = "program" + std::to_string(pid);
    process.info.cgroup_text = "0::" + cgroup + "\n";
    process.masks = {{pid, kMachine}};
    process.event.reset(::eventfd(0, EFD_CLOEXEC));
    processes_[eventfd_id(process.event.get())] = std::move(process);
}

FakeProcesses::Process* FakeProcesses::find(int pid) {
    for (auto& [id, process] : processes_) {
        if (process.running && process.info.pid == pid) return &process;
    }
    return nullptr;
}

const FakeProcesses::Process* FakeProcesses::find(int pid) const {
    return const_cast<FakeProcesses*>(this)->find(pid);
}

void FakeProcesses::end(int pid) {
    Process* process = find(pid);
    process->running = false;
    ::eventfd_write(process->event.get(), 1);
}

bool FakeProcesses::is_running(int pid) const {
    return find(pid) != nullptr;
}

UniqueFd FakeProcesses::pidfd(int pid) {
    return duplicate(find(pid)->event);
}

std::map<int, std::vector<ThreadMask>> FakeProcesses::all_masks() const {
    std::map<int, std::vector<ThreadMask>> all;
    for (const auto& [id, process] : processes_) {
        if (process.running) all[process.info.pid] = process.masks;
    }
    return all;
}

Result<int> FakeProcesses::pid_of(int pidfd) {
    const auto at = processes_.find(eventfd_id(pidfd));
    if (at == processes_.end()) {
        return make_error(Errc::invalid_argument, "the file descriptor is not a pidfd");
    }
    if (!at->second.running) return ended();
    return at->second.info.pid;
}

bool FakeProcesses::has_ended(int pidfd) {
    return !pid_of(pidfd);
}

Result<ProcessInfo> FakeProcesses::inspect(int pidfd) {
    CMK_TRY_ASSIGN(const int pid, pid_of(pidfd));
    return find(pid)->info;
}

Result<UniqueFd> FakeProcesses::open(int pid, std::uint64_t start_time) {
    const Process* process = find(pid);
    if (process == nullptr) return ended();
    if (start_time != 0 && start_time != process->info.start_time) return ended();
    return duplicate(process->event);
}

std::vector<ThreadMask> FakeProcesses::masks(int pid) {
    const Process* process = find(pid);
    return process == nullptr ? std::vector<ThreadMask>{} : process->masks;
}

Status FakeProcesses::set_affinity(int pid, const CpuSet& cpus) {
    if (affinity_errno_ != 0) {
        return errno_error(std::exchange(affinity_errno_, 0), "cannot set the affinity");
    }
    Process* process = find(pid);
    if (process == nullptr) return {};
    for (ThreadMask& mask : process->masks)
        mask.cpus = cpus;
    return {};
}

void FakeProcesses::restore(int pid, const std::vector<ThreadMask>& masks) {
    Process* process = find(pid);
    if (process == nullptr || masks.empty()) return;
    for (ThreadMask& mask : process->masks) {
        mask.cpus = masks.front().cpus & kMachine;
        for (const ThreadMask& old : masks) {
            if (old.tid == mask.tid) mask.cpus = old.cpus & kMachine;
        }
    }
}

}  // namespace cmk
