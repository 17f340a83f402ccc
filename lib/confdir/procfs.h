// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "confdir/content.h"

namespace cmk {

/// A procfs below any directory (CMK_PROC_FS): a container records the ids of the host's procfs,
/// not those of its own PID namespace.
class ProcFs {
public:
    /// Errors: unavailable for a directory that is missing or has no process, since by it every
    /// task would be dead.
    static Result<ProcFs> open(std::string root);

    /// This process: the first field of self/stat, with its start time. Errors: io, internal.
    Result<Task> self() const;
    /// The process of that id as it is now. Errors: as self().
    Result<Task> find(int pid) const;
    /// A process of the task's id is there and, where both are known, started when the task did.
    bool is_alive(const Task& task) const;
    /// Ids of the process's children; none where it has ended or the kernel does not tell.
    std::vector<int> children(int pid) const;
    /// Cpus_allowed_list of its status. Errors: io, and invalid_argument where the line is missing
    /// or no cpulist.
    Result<CpuSet> allowed_cpus(int pid) const;

private:
    explicit ProcFs(std::string root) : root_(std::move(root)) {}
    Result<Task> read_stat(const std::string& process) const;

    std::string root_;
};

}  // namespace cmk
