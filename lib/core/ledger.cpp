// SPDX-License-Identifier: Apache-2.0
#include "core/ledger.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.h"
#include "core/cpu_text.h"

namespace cmk {

namespace {

bool is_removed(const LedgerDelta& delta, const std::string& id) {
    return std::find(delta.removed.begin(), delta.removed.end(), id) != delta.removed.end();
}

std::string describe(const Lease& lease) {
    std::string text = "lease " + quote(lease.id);
    if (lease.owner.pid == 0) return text + " (owner unknown)";
    text += " (pid " + std::to_string(lease.owner.pid);
    if (!lease.owner.command.empty()) text += " " + quote(lease.owner.command);
    if (!lease.owner.user.empty()) text += " of user " + quote(lease.owner.user);
    return text + ")";
}

Error unknown_pool_error(const std::string& lease, const std::string& pool) {
    return make_error(Errc::unknown_pool, "lease " + quote(lease) + " names pool " + quote(pool) +
                                              ", which does not exist");
}

Status check_disjoint(const std::vector<Pool>& pools) {
    CpuSet seen;
    std::set<std::string_view> names;
    for (const Pool& pool : pools) {
        if (!names.insert(pool.spec.name).second) {
            return make_error(Errc::conflict, "pool " + quote(pool.spec.name) + " is there twice");
        }
        if (seen.intersects(pool.cpus)) {
            const auto other = std::find_if(pools.begin(), pools.end(), [&](const Pool& p) {
                return p.cpus.intersects(pool.cpus);
            });
            return make_error(Errc::conflict, "pools " + quote(other->spec.name) + " and " +
                                                  quote(pool.spec.name) + " would both have " +
                                                  cpus_text(other->cpus & pool.cpus));
        }
        seen |= pool.cpus;
    }
    return {};
}

/// A live lease keeps its CPUs, so its pool must keep them too.
Status check_kept(const std::vector<Pool>& before, const std::vector<Pool>& after,
                  const Lease& lease) {
    const Pool* old_pool = find_pool(before, lease.pool);
    const Pool* pool = find_pool(after, lease.pool);
    std::string why;
    if (pool == nullptr) {
        why = "pool " + quote(lease.pool) + " would be removed";
    } else if (old_pool != nullptr && pool->spec.kind != old_pool->spec.kind) {
        why =
            "pool " + quote(lease.pool) + " would become " + std::string(to_text(pool->spec.kind));
    } else if (!pool->cpus.contains_all(lease.cpus)) {
        why = "pool " + quote(lease.pool) + " would lose " + cpus_text(lease.cpus - pool->cpus);
    } else {
        return {};
    }
    return make_error(Errc::conflict, describe(lease) + " holds " + cpus_text(lease.cpus) +
                                          ", but " + why +
                                          "; release it first, or keep its CPUs in that pool");
}

/// Names who holds CPUs that `added` wants: a lease that stays, else another added one.
Error overlap_error(const Ledger& ledger, const LedgerDelta& delta, const Lease& added) {
    const Lease* other = nullptr;
    for (const auto& entry : ledger.leases()) {
        if (entry.second.cpus.intersects(added.cpus) && !is_removed(delta, entry.first)) {
            other = &entry.second;
        }
    }
    for (const Lease& lease : delta.added) {
        if (other == nullptr && lease.cpus.intersects(added.cpus)) other = &lease;
    }
    if (other == nullptr) return make_error(Errc::internal, "leased CPUs without a lease");
    return make_error(Errc::conflict, describe(added) + " would share " +
                                          cpus_text(other->cpus & added.cpus) + " with " +
                                          describe(*other));
}

using CpusByPool = std::map<std::string, CpuSet, std::less<>>;

void give_back(CpusByPool& held, const Lease& lease) {
    const auto at = held.find(lease.pool);
    if (at != held.end()) at->second -= lease.cpus;
}

const CpuSet& held_of(const CpusByPool& held, std::string_view pool) {
    static const CpuSet kNone;
    const auto at = held.find(pool);
    return at == held.end() ? kNone : at->second;
}

}  // namespace

Status Ledger::check(const LedgerDelta& delta) const {
    for (const std::string& id : delta.removed) {
        if (lease(id) == nullptr) {
            return make_error(Errc::unknown_lease, "no lease " + quote(id));
        }
    }
    if (delta.pools) CMK_TRY(check_pools(delta));
    return check_added(delta);
}

Status Ledger::check_pools(const LedgerDelta& delta) const {
    CMK_TRY(check_disjoint(*delta.pools));
    const std::set<std::string_view> removed(delta.removed.begin(), delta.removed.end());
    for (const auto& entry : leases_) {
        if (removed.count(entry.first) != 0) continue;
        CMK_TRY(check_kept(pools_, *delta.pools, entry.second));
    }
    return {};
}

Status Ledger::check_added(const LedgerDelta& delta) const {
    const std::vector<Pool>& pools = delta.pools ? *delta.pools : pools_;
    std::map<std::string_view, CpuSet> taken;
    std::set<std::string_view> ids;
    for (const Lease& added : delta.added) {
        const bool is_live = lease(added.id) != nullptr && !is_removed(delta, added.id);
        if (is_live || !ids.insert(added.id).second) {
            return make_error(Errc::conflict, "lease id " + quote(added.id) + " is in use");
        }
        const Pool* pool = find_pool(pools, added.pool);
        if (pool == nullptr) return unknown_pool_error(added.id, added.pool);
        if (added.cpus.empty() || !pool->cpus.contains_all(added.cpus)) {
            return make_error(Errc::conflict, describe(added) + " wants CPUs " +
                                                  quote(added.cpus.to_cpulist()) + ", pool " +
                                                  quote(added.pool) + " has " +
                                                  quote(pool->cpus.to_cpulist()));
        }
        if (pool->spec.kind != PoolKind::exclusive) continue;
        const auto [at, is_new] = taken.try_emplace(added.pool, leased(added.pool));
        CpuSet& held = at->second;
        for (const std::string& id : delta.removed) {
            if (is_new && lease(id)->pool == added.pool) held -= lease(id)->cpus;
        }
        if (held.intersects(added.cpus)) return overlap_error(*this, delta, added);
        held |= added.cpus;
    }
    return {};
}

Status Ledger::apply(LedgerDelta delta) {
    CMK_TRY(check(delta));
    for (const std::string& id : delta.removed) {
        const auto at = leases_.find(id);
        if (at == leases_.end()) continue;
        give_back(leased_, at->second);
        if (!at->second.is_in_pool()) give_back(outside_, at->second);
        leases_.erase(at);
    }
    if (delta.pools) {
        pools_ = *std::move(delta.pools);
        std::erase_if(leased_, [](const auto& entry) { return entry.second.empty(); });
        std::erase_if(outside_, [](const auto& entry) { return entry.second.empty(); });
    }
    for (Lease& lease : delta.added) {
        if (pool(lease.pool)->spec.kind == PoolKind::exclusive) {
            leased_[lease.pool] |= lease.cpus;
            if (!lease.is_in_pool()) outside_[lease.pool] |= lease.cpus;
        }
        std::string id = lease.id;
        leases_.insert_or_assign(std::move(id), std::move(lease));
    }
    return {};
}

const Lease* Ledger::lease(std::string_view id) const {
    const auto at = leases_.find(id);
    return at == leases_.end() ? nullptr : &at->second;
}

const CpuSet& Ledger::leased(std::string_view pool) const {
    return held_of(leased_, pool);
}

const CpuSet& Ledger::outside(std::string_view pool) const {
    return held_of(outside_, pool);
}

CpuSet Ledger::free(const Pool& pool) const {
    if (pool.spec.kind == PoolKind::shared) return pool.cpus;
    return pool.cpus - leased(pool.spec.name);
}

}  // namespace cmk
