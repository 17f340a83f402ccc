// SPDX-License-Identifier: Apache-2.0
#include "core/plan.h"

#include <algorithm>
#include <utility>

namespace cmk {

namespace {

CpuSet union_of(const std::vector<Pool>& pools) {
    CpuSet cpus;
    for (const Pool& pool : pools)
        cpus |= pool.cpus;
    return cpus;
}

/// The pool of that name, or one without CPUs: an empty pool has no group either.
Pool pool_of(const std::vector<Pool>& pools, const std::string& name) {
    const Pool* pool = find_pool(pools, name);
    return pool != nullptr ? *pool : Pool{.spec = {.name = name}, .cpus = {}};
}

void set_cpus(Plan& plan, EditKind kind, const CpuSet& before, const CpuSet& cpus) {
    if (before != cpus) plan.push_back(Edit{.kind = kind, .cpus = cpus, .before = before});
}

Edit pool_edit(EditKind kind, const Pool& before, const Pool& after) {
    return Edit{.kind = kind,
                .pool = after.spec.name,
                .cpus = after.cpus,
                .before = before.cpus,
                .partition = after.partition,
                .partition_before = before.partition};
}

/// A pool that keeps no CPU is removed and made again, as a live group must not become empty.
void shrink_pool(Plan& plan, const Pool& before, const Pool& after) {
    Pool kept = before;
    kept.cpus = before.cpus & after.cpus;
    if (kept.cpus == before.cpus) return;
    if (!kept.cpus.empty()) return plan.push_back(pool_edit(EditKind::set_pool, before, kept));
    plan.push_back(Edit{.kind = EditKind::remove_pool,
                        .pool = before.spec.name,
                        .cpus = before.cpus,
                        .partition = before.partition});
}

void grow_pool(Plan& plan, const Pool& before, const Pool& after) {
    Pool kept = before;
    kept.cpus = before.cpus & after.cpus;
    if (after.cpus.empty()) return;
    if (kept.cpus.empty()) {
        plan.push_back(Edit{.kind = EditKind::make_pool,
                            .pool = after.spec.name,
                            .cpus = after.cpus,
                            .partition = after.partition});
    } else if (kept.cpus != after.cpus || kept.partition != after.partition) {
        plan.push_back(pool_edit(EditKind::set_pool, kept, after));
    }
}

/// Every pool shrinks before any grows: a CPU that changes pools is never in two.
void change_pools(Plan& plan, const CpuSet& old_root, const std::vector<Pool>& before,
                  const CpuSet& new_root, const std::vector<Pool>& after) {
    const CpuSet old_reserved = reserved_by(before);
    const CpuSet new_reserved = reserved_by(after);
    set_cpus(plan, EditKind::set_root, old_root, old_root | new_root);
    set_cpus(plan, EditKind::set_reserved, old_reserved, old_reserved | new_reserved);
    for (const Pool& pool : before)
        shrink_pool(plan, pool, pool_of(after, pool.spec.name));
    for (const Pool& pool : after)
        grow_pool(plan, pool_of(before, pool.spec.name), pool);
    set_cpus(plan, EditKind::set_reserved, old_reserved | new_reserved, new_reserved);
    set_cpus(plan, EditKind::set_root, old_root | new_root, new_root);
}

/// Takes what is held elsewhere out of the partitions.
template <typename HeldOutside>
std::vector<Pool> standing(std::vector<Pool> pools, const HeldOutside& held_outside) {
    for (Pool& pool : pools) {
        if (pool.partition != PartitionType::member) pool.cpus -= held_outside(pool.spec.name);
    }
    return pools;
}

/// What the pool's leases hold outside of its group after the delta.
CpuSet outside_after(const Ledger& ledger, const LedgerDelta& delta, const std::string& pool) {
    CpuSet held = ledger.outside(pool);
    for (const std::string& id : delta.removed) {
        const Lease* lease = ledger.lease(id);
        if (lease != nullptr && !lease->is_in_pool() && lease->pool == pool) held -= lease->cpus;
    }
    for (const Lease& lease : delta.added) {
        if (!lease.is_in_pool() && lease.pool == pool) held |= lease.cpus;
    }
    return held;
}

bool changes_pools(const Ledger& ledger, const LedgerDelta& delta) {
    const auto takes_from_partition = [&](const Lease& lease) {
        const Pool* pool = lease.is_in_pool() ? nullptr : ledger.pool(lease.pool);
        return pool != nullptr && pool->partition != PartitionType::member;
    };
    return delta.pools ||
           std::any_of(delta.added.begin(), delta.added.end(), takes_from_partition) ||
           std::any_of(delta.removed.begin(), delta.removed.end(), [&](const std::string& id) {
               const Lease* lease = ledger.lease(id);
               return lease != nullptr && takes_from_partition(*lease);
           });
}

void change_pools(Plan& plan, const Ledger& ledger, const LedgerDelta& delta) {
    const std::vector<Pool>& after = delta.pools ? *delta.pools : ledger.pools();
    change_pools(plan, union_of(ledger.pools()), standing_pools(ledger), union_of(after),
                 standing(after, [&](const std::string& pool) {
                     return outside_after(ledger, delta, pool);
                 }));
}

/// True when the machine holds both in the same way; they may differ in what is only written down.
bool is_held_alike(const Lease& a, const Lease& b) {
    return a.id == b.id && a.pool == b.pool && a.cpus == b.cpus && a.hold == b.hold &&
           a.place == b.place && a.owner.pid == b.owner.pid &&
           a.owner.start_time == b.owner.start_time;
}

/// The same processes get other CPUs, in the group that they are in.
bool is_moved(const Lease& a, const Lease& b) {
    Lease other = b;
    other.cpus = a.cpus;
    return a.hold == Hold::cpuset && !a.is_in_place() && is_held_alike(a, other);
}

void remove_leases(Plan& plan, const Ledger& ledger, const LedgerDelta& delta) {
    for (const std::string& id : delta.removed) {
        const Lease* lease = ledger.lease(id);
        if (lease == nullptr) continue;
        const bool stays = std::any_of(delta.added.begin(), delta.added.end(), [&](const Lease& l) {
            return is_held_alike(l, *lease) || is_moved(*lease, l);
        });
        if (stays) continue;
        const auto add = [&](EditKind kind) {
            plan.push_back(lease_edit(kind, *lease, ledger.pools()));
        };
        if (lease->hold != Hold::none) add(EditKind::detach);
        if (lease->hold == Hold::cpuset) add(EditKind::remove_lease);
    }
}

void add_leases(Plan& plan, const Ledger& ledger, const LedgerDelta& delta) {
    for (const Lease& lease : delta.added) {
        const Lease* old = ledger.lease(lease.id);
        if (old != nullptr && is_held_alike(*old, lease)) continue;
        if (old != nullptr && is_moved(*old, lease)) {
            plan.push_back(lease_edit(EditKind::set_lease, lease, {}));
            plan.back().before = old->cpus;
            continue;
        }
        const auto add = [&](EditKind kind) {
            plan.push_back(lease_edit(kind, lease, delta.pools ? *delta.pools : ledger.pools()));
        };
        if (lease.hold == Hold::cpuset) add(EditKind::make_lease);
        if (lease.hold != Hold::none) add(EditKind::attach);
    }
}

}  // namespace

Edit lease_edit(EditKind kind, const Lease& lease, const std::vector<Pool>& pools) {
    Edit edit{.kind = kind,
              .pool = lease.pool,
              .lease = lease.id,
              .cpus = lease.cpus,
              .place = lease.place};
    const Pool* pool = find_pool(pools, lease.pool);
    // Of a shared pool others have the same CPUs, which a partition would keep from them.
    if (pool != nullptr && lease.is_in_place() && pool->spec.kind == PoolKind::exclusive) {
        edit.partition = pool->partition;
    }
    return edit;
}

std::vector<Pool> standing_pools(const Ledger& ledger) {
    return standing(ledger.pools(), [&](const std::string& pool) { return ledger.outside(pool); });
}

CpuSet reserved_by(const std::vector<Pool>& pools) {
    CpuSet cpus;
    for (const Pool& pool : pools) {
        if (pool.partition != PartitionType::member) cpus |= pool.cpus;
    }
    return cpus;
}

Plan make_plan(const Ledger& ledger, const LedgerDelta& delta) {
    Plan plan;
    remove_leases(plan, ledger, delta);
    if (changes_pools(ledger, delta)) change_pools(plan, ledger, delta);
    add_leases(plan, ledger, delta);
    return plan;
}

Edit inverse(const Edit& edit) {
    Edit undo = edit;
    switch (edit.kind) {
        case EditKind::set_root:
        case EditKind::set_reserved:
        case EditKind::set_pool:
        case EditKind::set_lease:
            std::swap(undo.cpus, undo.before);
            std::swap(undo.partition, undo.partition_before);
            break;
        case EditKind::make_pool: undo.kind = EditKind::remove_pool; break;
        case EditKind::remove_pool: undo.kind = EditKind::make_pool; break;
        case EditKind::make_lease: undo.kind = EditKind::remove_lease; break;
        case EditKind::remove_lease: undo.kind = EditKind::make_lease; break;
        case EditKind::attach: undo.kind = EditKind::detach; break;
        case EditKind::detach: undo.kind = EditKind::attach; break;
    }
    return undo;
}

Plan inverse(const Plan& plan) {
    Plan undo;
    undo.reserve(plan.size());
    for (auto edit = plan.rbegin(); edit != plan.rend(); ++edit)
        undo.push_back(inverse(*edit));
    return undo;
}

std::string_view to_text(EditKind kind) {
    switch (kind) {
        case EditKind::set_root: return "set-root";
        case EditKind::set_reserved: return "set-reserved";
        case EditKind::make_pool: return "make-pool";
        case EditKind::set_pool: return "set-pool";
        case EditKind::remove_pool: return "remove-pool";
        case EditKind::make_lease: return "make-lease";
        case EditKind::set_lease: return "set-lease";
        case EditKind::remove_lease: return "remove-lease";
        case EditKind::attach: return "attach";
        case EditKind::detach: return "detach";
    }
    return "?";
}

}  // namespace cmk
