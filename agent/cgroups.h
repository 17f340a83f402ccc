// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "core/caller.h"
#include "core/cpu_set.h"
#include "core/lease.h"
#include "core/mechanism.h"

namespace cmk {

/// The group of one lease: <root>/<pool>/<lease>, or in place.
struct LeaseGroup {
    std::string pool;
    std::string lease;
    Place place = {};
};

inline LeaseGroup group_of(const Lease& lease) {
    return {lease.pool, lease.id, lease.place};
}

/// A lease's group found on the machine.
struct FoundGroup {
    LeaseGroup group;
    CpuSet cpus;
};

/// A pool's group as the kernel has it.
struct PoolState {
    CpuSet cpus = {};  ///< what it was given
    PartitionType partition = PartitionType::member;
    bool valid = true;  ///< false: the kernel says that the partition is not in force
};

/// What the kernel says about who may run where.
struct Confinement {
    CpuSet effective = {};      ///< CPUs that the lease's group may use now
    bool exclusive = false;     ///< a valid partition, and nobody outside of it may use these CPUs
    bool isolated = false;      ///< so, and the scheduler does not balance load there
    std::string evidence = {};  ///< "partition root; CPUs of everybody else: 0-1"
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
    /// What this host can do, as probed.
    virtual Abilities abilities() const = 0;
    /// False where no group can be made and leases are held by affinity alone.
    bool has_groups() const { return abilities().cpusets; }
    /// Where a process sits in this hierarchy, from the text of /proc/PID/cgroup.
    virtual std::string path_in(const std::string& proc_cgroup) const = 0;

    /// Where a lease of such a caller, in the group of that path (as path_in gave it), is held.
    /// None where only affinity is left: its container's group has no cpuset files.
    virtual std::optional<Place> place_for(CallerKind caller, const std::string& path) const = 0;
    /// Is it the only process of that group?
    virtual bool is_alone(const std::string& path, int pid) const = 0;

    /// Makes the root or gives it other CPUs; an empty set removes it.
    virtual Status set_root(const CpuSet& cpus) = 0;
    /// Takes these CPUs for partitions, away from everybody else; none gives all back. Conflict,
    /// naming the other cgroup, when one holds some of them.
    virtual Status set_reserved(const CpuSet& cpus) = 0;
    /// Conflict, with what the kernel says, when the partition does not come into force.
    virtual Status make_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) = 0;
    virtual Status set_pool(const std::string& pool, const CpuSet& cpus, PartitionType type) = 0;
    virtual Status remove_pool(const std::string& pool) = 0;
    /// `type`: what a group in place shall be; in a pool it is a member. Errors: also conflict,
    /// with what the kernel says, when a partition does not come into force.
    virtual Status make_lease(const LeaseGroup& group, const CpuSet& cpus, PartitionType type) = 0;
    /// `cpus`: what it had. Groups that have gone with their container or unit are no error.
    virtual Status remove_lease(const LeaseGroup& group, const CpuSet& cpus) = 0;
    /// Gives the group the tightest memory and task limits of `path` and the groups above it, so
    /// that nobody leaves a limit by leasing.
    virtual Status copy_limits(const LeaseGroup& group, const std::string& path) = 0;
    /// Moves a whole process into the lease's group. ESRCH when it has ended.
    virtual Status attach(const LeaseGroup& group, int pid) = 0;
    /// Moves a process to a path that path_in gave, or its nearest parent that takes it.
    virtual Status move_to(const std::string& path, int pid) = 0;

    virtual Result<Confinement> confinement(const LeaseGroup& group) = 0;
    /// CPUs that a process of that path (as path_in gave it) may use; none where that is not known.
    virtual CpuSet allowed_in(const std::string& path) = 0;
    /// Without CPUs where there is no such group.
    virtual PoolState pool_state(const std::string& pool) = 0;
    /// Who else has or wants CPUs of the pool's partition: " by /system.slice (CPUs 0-7)"; "" where
    /// nobody is found. Walks the machine's groups: for explaining a failure.
    virtual std::string rivals(const std::string& pool, const CpuSet& cpus) = 0;
    /// A descriptor that polls POLLPRI when the kernel changes the pool's partition; none where
    /// there is nothing to watch.
    virtual UniqueFd watch_partition(const std::string& pool) = 0;
    /// The same for a lease whose group in place is a partition.
    virtual UniqueFd watch_lease(const LeaseGroup& group) = 0;
    /// Takes back what ended leases in place have left of these CPUs in the groups above them;
    /// `live` are the leases in place. Walks the machine's groups. True when there was something.
    virtual bool clear_stale(const CpuSet& cpus, const std::vector<FoundGroup>& live) = 0;
    /// What is wrong with the units that the groups stand in, and what to do; "" where all is well.
    virtual std::string home_problem() = 0;
    /// Descriptors that poll POLLPRI when a unit's own process comes or goes; none where the groups
    /// stand in no unit.
    virtual std::vector<UniqueFd> watch_homes() = 0;
    /// Online CPUs that neither everybody nor any partition has: the kernel has lost them.
    virtual Result<CpuSet> lost_cpus() = 0;
    /// Gives lost CPUs back to everybody.
    virtual Status return_lost(const CpuSet& cpus) = 0;
    /// Ids of the processes inside, in the agent's PID namespace.
    virtual Result<std::vector<int>> members(const LeaseGroup& group) = 0;
    /// Pools that have a group.
    virtual Result<std::vector<std::string>> pools() = 0;
    /// All leases that have a group.
    virtual Result<std::vector<FoundGroup>> leases() = 0;
};

}  // namespace cmk
