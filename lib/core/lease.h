// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cpu_set.h"
#include "core/grade.h"

namespace cmk {

/// The process a lease was given to, as the kernel described it.
struct Owner {
    int pid = 0;                   ///< in the agent's PID namespace; 0 when unknown (adopted lease)
    std::uint64_t start_time = 0;  ///< clock ticks since boot (/proc/PID/stat field 22)
    unsigned uid = 0;
    std::string user = {};     ///< name of uid, "" when it has none
    std::string command = {};  ///< /proc/PID/comm at the time
    std::string cgroup = {};   ///< where it came from: path in the cpuset hierarchy
    bool container = false;
    std::string unit = {};  ///< its systemd unit
    std::string pod = {};   ///< in a container: the pod's UID, or the container's id

    friend bool operator==(const Owner&, const Owner&) = default;
};

/// The affinity mask of one thread before the lease, to be given back on release.
struct ThreadMask {
    int tid = 0;
    CpuSet cpus = {};

    friend bool operator==(const ThreadMask&, const ThreadMask&) = default;
};

/// What holds the owner to the lease's CPUs.
enum class Hold {
    cpuset,    ///< a cgroup cpuset of its own
    affinity,  ///< sched_setaffinity alone
    none,      ///< nothing: the owner pins itself (--no-affinity)
};

/// Which group holds a lease.
enum class PlaceKind {
    pool,   ///< one of its own in the pool's group
    child,  ///< a threaded child of the owner's group, which its container goes on managing
    unit,   ///< the owner's group itself: a systemd service's
};

struct Place {
    PlaceKind kind = PlaceKind::pool;
    std::string path = {};  ///< the owner's group, below the mount point; "" in the pool

    friend bool operator==(const Place&, const Place&) = default;
};

/// Intent: written before the machine is changed; committed: after it was read back.
enum class LeaseStatus { intent, committed };

/// Slots or a pool's CPUs, given to an owner until it ends.
struct Lease {
    std::string id;
    std::string pool;
    CpuSet cpus;
    LeaseStatus status = LeaseStatus::intent;
    Hold hold = Hold::cpuset;
    Place place = {};
    Grade grade = Grade::D;
    std::int64_t created = 0;  ///< seconds since the epoch
    Owner owner = {};
    std::vector<ThreadMask> old_masks = {};

    /// It has a group in the pool's. Others need their CPUs outside of the pool's partition.
    bool is_in_pool() const { return hold == Hold::cpuset && place.kind == PlaceKind::pool; }
    /// Its group is where the owner came from, not in the pool's.
    bool is_in_place() const { return hold == Hold::cpuset && place.kind != PlaceKind::pool; }

    friend bool operator==(const Lease&, const Lease&) = default;
};

std::string_view to_text(Hold hold);
std::string_view to_text(LeaseStatus status);
std::string_view to_text(PlaceKind kind);
std::optional<PlaceKind> place_kind_from(std::string_view text);

/// The masks to give back when a lease is released while its process runs on. `allowed`: CPUs of
/// the cgroup that it came from; a mask that is all of them was chosen by nobody, and comes back as
/// one without bounds, which follows the cgroup. So does one without the CPUs `isolated` at boot,
/// and goes on without these.
std::vector<ThreadMask> masks_to_restore(std::vector<ThreadMask> masks, const CpuSet& allowed,
                                         const CpuSet& isolated);

}  // namespace cmk
