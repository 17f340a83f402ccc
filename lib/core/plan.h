// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/ledger.h"

namespace cmk {

/// One change of the machine.
enum class EditKind {
    set_root,      ///< give the tree that holds all pools these CPUs
    set_reserved,  ///< what the partitions together take from the rest of the machine
    make_pool,     ///< a group with the pool's CPUs
    set_pool,      ///< other CPUs, or another partition type, for an existing pool
    remove_pool,
    make_lease,  ///< a group with the lease's CPUs, in the pool or in place
    set_lease,   ///< other CPUs for a lease's group in its pool, and for everyone inside
    remove_lease,
    attach,  ///< the owner's process goes in and may use every CPU of the lease
    detach,  ///< every process inside goes back to where the owner came from
};

struct Edit {
    EditKind kind = EditKind::set_root;
    std::string pool = {};
    std::string lease = {};
    CpuSet cpus = {};    ///< what it shall be; for removals, what it was
    CpuSet before = {};  ///< set_root, set_reserved, set_pool, set_lease: what it was
    PartitionType partition = PartitionType::member;         ///< what the group shall be
    PartitionType partition_before = PartitionType::member;  ///< set_pool: what it was
    Place place = {};                                        ///< of a lease

    friend bool operator==(const Edit&, const Edit&) = default;
};

/// Edits in an order the kernel accepts: parents grow before children, children shrink first.
using Plan = std::vector<Edit>;

/// An edit of a lease. One in place in a partition pool is a partition itself: nobody else's CPUs
/// are in the groups above it.
Edit lease_edit(EditKind kind, const Lease& lease, const std::vector<Pool>& pools);

/// The pools as their groups stand: a partition does without the CPUs of leases that have no group
/// in it, since nobody outside can run on its CPUs, and only one partition can have a CPU.
std::vector<Pool> standing_pools(const Ledger& ledger);

/// What the partitions among these pools take from the rest of the machine.
CpuSet reserved_by(const std::vector<Pool>& pools);

/// What has to change on the machine to go from `ledger` to `ledger` + `delta`. Leases held by
/// affinity have no group: only attach and detach; unpinned leases need nothing.
Plan make_plan(const Ledger& ledger, const LedgerDelta& delta);

/// The edit that undoes `edit`.
Edit inverse(const Edit& edit);

/// The edits that undo the whole plan, last first.
Plan inverse(const Plan& plan);

std::string_view to_text(EditKind kind);

}  // namespace cmk
