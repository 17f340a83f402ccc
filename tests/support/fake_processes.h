// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/processes.h"

namespace cmk {

/// Processes as a table. A pidfd is an eventfd, which becomes readable when its process ends; it
/// is known again after dup(2) and SCM_RIGHTS.
class FakeProcesses final : public Processes {
public:
    /// Adds a running process, also under the id of one that has ended.
    void add(int pid, unsigned uid, const std::string& cgroup = "/user.slice");
    /// Changes what inspect() tells.
    ProcessInfo& info(int pid) { return find(pid)->info; }
    void end(int pid);
    bool is_running(int pid) const;
    UniqueFd pidfd(int pid);

    /// Threads and their masks now.
    std::map<int, std::vector<ThreadMask>> all_masks() const;
    /// Lets the next set_affinity fail.
    void fail_next_affinity(int number) { affinity_errno_ = number; }

    Result<int> pid_of(int pidfd) override;
    bool has_ended(int pidfd) override;
    Result<ProcessInfo> inspect(int pidfd) override;
    Result<UniqueFd> open(int pid, std::uint64_t start_time) override;
    std::vector<ThreadMask> masks(int pid) override;
    Status set_affinity(int pid, const CpuSet& cpus) override;
    void restore(int pid, const std::vector<ThreadMask>& masks) override;

private:
    struct Process {
        ProcessInfo info;
        std::vector<ThreadMask> masks;
        bool running = true;
        UniqueFd event = {};
    };
    Process* find(int pid);
    const Process* find(int pid) const;

    std::map<std::string, Process> processes_;  // by the kernel's id of the eventfd
    std::uint64_t clock_ = 1000;
    int affinity_errno_ = 0;
};

}  // namespace cmk
