// SPDX-License-Identifier: Apache-2.0
#include "agent/committer.h"

#include <algorithm>

namespace cmk {

namespace {

/// A lease that only changes has one file, which is replaced once the change is made: an intent
/// would have it undone at the next start, with its programs.
bool is_changed(const LedgerDelta& delta, const std::string& id) {
    const bool removed =
        std::find(delta.removed.begin(), delta.removed.end(), id) != delta.removed.end();
    return removed && std::any_of(delta.added.begin(), delta.added.end(),
                                  [&](const Lease& lease) { return lease.id == id; });
}

}  // namespace

Status Committer::commit(LedgerDelta delta) {
    CMK_TRY(ledger_.check(delta));
    Status done = persist_intent(delta);
    if (done) done = apply(delta);
    if (!done) {
        take_back(delta);
        return done;
    }
    for (const std::string& id : delta.removed) {
        if (!is_changed(delta, id)) store_.remove(id);
    }
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
    for (const Lease& lease : delta.added) {
        if (!is_changed(delta, lease.id)) CMK_TRY(store_.save_intent(lease));
    }
    for (const std::string& id : delta.removed) {
        if (!is_changed(delta, id)) CMK_TRY(store_.revoke(id));
    }
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
    return is_changed(delta, lease.id) ? Status{} : store_.save_intent(lease);
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
    for (const Lease& lease : delta.added) {
        CMK_TRY(is_changed(delta, lease.id) ? store_.update(lease) : store_.commit(lease.id));
    }
    if (delta.pools) CMK_TRY(store_.save_pools(*delta.pools));
    return {};
}

void Committer::take_back(const LedgerDelta& delta) {
    for (const Lease& lease : delta.added) {
        const Lease* before = ledger_.lease(lease.id);
        if (!is_changed(delta, lease.id)) {
            store_.remove(lease.id);
        } else if (before != nullptr) {
            (void)store_.update(*before);
        }
    }
    for (const std::string& id : delta.removed) {
        if (!is_changed(delta, id)) (void)store_.commit(id);
    }
    if (delta.pools) (void)store_.save_pools(ledger_.pools());
}

}  // namespace cmk
