// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/processes.h"

namespace cmk {

/// Processes through /proc, pidfd_open and sched_setaffinity.
class ProcessesKernel final : public Processes {
public:
    Result<int> pid_of(int pidfd) override;
    bool has_ended(int pidfd) override;
    Result<ProcessInfo> inspect(int pidfd) override;
    Result<UniqueFd> open(int pid, std::uint64_t start_time) override;
    std::vector<ThreadMask> masks(int pid) override;
    Status set_affinity(int pid, const CpuSet& cpus) override;
    void restore(int pid, const std::vector<ThreadMask>& masks) override;
};

}  // namespace cmk
