// SPDX-License-Identifier: Apache-2.0
#include "agent/committer.h"

namespace cmk {

Status Committer::commit(LedgerDelta delta) {
    CMK_TRY(ledger_.check(delta));
    Status done = persist_intent(delta);
    if (done) done = apply(delta);
    if (!done) {
        take_back(delta);
        return done;
    }
    for (const std::string& id : delta.removed)
        store_.remove(id);
    for (Lease& lease : delta.added)
        lease.status = LeaseStatus::committed;
    return ledger_.apply(std::move(delta));
}

Executor::Leases Committer::named(const LedgerDelta& delta) const {
    Executor::Leases leases;
    for (const std::string& id : delta.removed)
        leases[id] = ledger_.lease(id);
    for (const Lease& lease : delta.added)
        leases[lease.id] = &lease;
    return leases;
}

Status Committer::persist_intent(const LedgerDelta& delta) {
    for (const Lease& lease : delta.added)
        CMK_TRY(store_.save_intent(lease));
    for (const std::string& id : delta.removed)
        CMK_TRY(store_.revoke(id));
    return {};
}

/// Writes down the grade that the kernel vouches for, and fails closed where it is too weak.
Status Committer::read_back(Lease& lease, const LedgerDelta& delta) {
    CMK_TRY_ASSIGN(const Grade grade, executor_.read_back(lease));
    const Pool* pool = find_pool(delta.pools ? *delta.pools : ledger_.pools(), lease.pool);
    if (pool != nullptr && !is_at_least(grade, pool->spec.require_grade)) {
        return make_error(Errc::not_permitted,
                          "pool " + lease.pool + " requires grade " +
                              std::string(to_text(pool->spec.require_grade)) +
                              ", but the kernel gives grade " + std::string(to_text(grade)) +
                              "; see cmkctl reconcile, or lower require_grade of the pool");
    }
    if (grade == lease.grade) return {};
    lease.grade = grade;
    return store_.save_intent(lease);
}

Status Committer::apply(LedgerDelta& delta) {
    const Plan plan = make_plan(ledger_, delta);
    const Executor::Leases leases = named(delta);
    CMK_TRY(executor_.apply(plan, leases));
    Status done;
    for (Lease& lease : delta.added) {
        if (done) done = read_back(lease, delta);
    }
    if (done) done = persist_commit(delta);
    if (done) return {};
    const Status undone = executor_.apply(inverse(plan), leases);
    if (!undone) done.error().message += "; undoing it: " + undone.error().message;
    return done;
}

Status Committer::persist_commit(const LedgerDelta& delta) {
    for (const Lease& lease : delta.added)
        CMK_TRY(store_.commit(lease.id));
    if (delta.pools) CMK_TRY(store_.save_pools(*delta.pools));
    return {};
}

void Committer::take_back(const LedgerDelta& delta) {
    for (const Lease& lease : delta.added)
        store_.remove(lease.id);
    for (const std::string& id : delta.removed)
        (void)store_.commit(id);
    if (delta.pools) (void)store_.save_pools(ledger_.pools());
}

}  // namespace cmk
