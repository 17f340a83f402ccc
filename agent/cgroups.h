// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "core/cpu_set.h"

namespace cmk {

/// The group of one lease: <root>/<pool>/<lease>.
struct LeaseGroup {
    std::string pool;
    std::string lease;
};

/// A lease's group found on the machine.
struct FoundGroup {
    LeaseGroup group;
    CpuSet cpus;
};

/// The tree of cpuset groups on the machine: one root, in it pools, in them leases. A narrow port,
/// so that everything above it can be tried against a fake that enforces the kernel's rules.
///
/// Errors are Errc::io with the kernel's errno and name the file, unless said otherwise.
class Cgroups {
public:
    virtual ~Cgroups() = default;

    /// For people: "cgroup v1 cpuset", "cgroup v2 cpuset" or "affinity".
    virtual std::string mechanism() const = 0;
    /// False where no group can be made and leases are held by affinity alone.
    virtual bool has_groups() const = 0;
    /// Where a process sits in this hierarchy, from the text of /proc/PID/cgroup.
    virtual std::string path_in(const std::string& proc_cgroup) const = 0;

    /// Makes the root or gives it other CPUs; an empty set removes it.
    virtual Status set_root(const CpuSet& cpus) = 0;
    virtual Status make_pool(const std::string& pool, const CpuSet& cpus) = 0;
    virtual Status set_pool(const std::string& pool, const CpuSet& cpus) = 0;
    virtual Status remove_pool(const std::string& pool) = 0;
    virtual Status make_lease(const LeaseGroup& group, const CpuSet& cpus) = 0;
    virtual Status remove_lease(const LeaseGroup& group) = 0;
    /// Moves a whole process into the lease's group. ESRCH when it has ended.
    virtual Status attach(const LeaseGroup& group, int pid) = 0;
    /// Moves a process to a path that path_in gave, or its nearest parent that takes it.
    virtual Status move_to(const std::string& path, int pid) = 0;

    /// What the kernel says the group may use now.
    virtual Result<CpuSet> effective(const LeaseGroup& group) = 0;
    /// CPUs the pool's group was given; empty where there is no such group.
    virtual CpuSet pool_cpus(const std::string& pool) = 0;
    /// CPUs the root was given; empty where there is no root.
    virtual CpuSet root_cpus() = 0;
    /// Ids of the processes inside, in the agent's PID namespace.
    virtual Result<std::vector<int>> members(const LeaseGroup& group) = 0;
    /// Pools that have a group.
    virtual Result<std::vector<std::string>> pools() = 0;
    /// All leases that have a group.
    virtual Result<std::vector<FoundGroup>> leases() = 0;
};

}  // namespace cmk
