// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "core/lease.h"

namespace cmk {

/// A process as the kernel describes it now.
struct ProcessInfo {
    int pid = 0;                   ///< in the agent's PID namespace
    std::uint64_t start_time = 0;  ///< clock ticks since boot
    unsigned uid = 0;
    std::string command = {};
    std::string cgroup_text = {};  ///< /proc/PID/cgroup, whole
    unsigned pid_namespace_depth = 1;
    bool confined = false;  ///< its bounding set (capabilities(7)) lacks some of PID 1's
};

/// Processes on the machine, held by pidfd. A narrow port like Cgroups.
class Processes {
public:
    virtual ~Processes() = default;

    /// The id of the process behind a pidfd, in the agent's PID namespace. Errors: unavailable
    /// when it has ended or the agent's PID namespace cannot see it; invalid_argument when the fd
    /// is no pidfd.
    virtual Result<int> pid_of(int pidfd) = 0;
    /// True once every thread of the process has ended. Until then its id is nobody else's.
    virtual bool has_ended(int pidfd) = 0;
    /// Describes a process; what comes back belongs to the process behind the pidfd, never to a
    /// later one of the same id.
    virtual Result<ProcessInfo> inspect(int pidfd) = 0;
    /// A pidfd by id. start_time 0 takes any process of that id. Errors: unavailable when it has
    /// ended or is another one now.
    virtual Result<UniqueFd> open(int pid, std::uint64_t start_time) = 0;
    /// The affinity of each thread.
    virtual std::vector<ThreadMask> masks(int pid) = 0;
    /// Lets every thread use all of `cpus`.
    virtual Status set_affinity(int pid, const CpuSet& cpus) = 0;
    /// Gives threads their old masks back; threads that are not listed get the first one's, which
    /// is what they would have inherited.
    virtual void restore(int pid, const std::vector<ThreadMask>& masks) = 0;
};

}  // namespace cmk
