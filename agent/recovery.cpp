// SPDX-License-Identifier: Apache-2.0
#include "agent/recovery.h"

namespace cmk {

namespace {

bool is_of_this_boot(const StoredState& state, const std::string& boot_id) {
    return state.boot_id.empty() || state.boot_id == boot_id;
}

/// Without the records of live leases their CPUs would be given away: the state is left as it is.
Status check_formats(const StoredState& state, const std::string& boot_id) {
    if (state.foreign.empty() || !is_of_this_boot(state, boot_id)) return {};
    return make_error(Errc::conflict,
                      "state file " + state.foreign.front() +
                          "; install the version of cmk-agent that wrote it, or one between the "
                          "two. Leases hold meanwhile");
}

void set_bad_aside(StateStore& store, const std::vector<std::string>& files,
                   RecoveryReport& report) {
    for (const std::string& bad : files) {
        report.refused.push_back("State file " + bad + "; it was set aside.");
        store.set_aside(bad.substr(0, bad.find(": ")));
    }
}

/// Leases of an earlier boot ended with it.
void forget_old_boot(StateStore& store, StoredState& state, const std::string& boot_id,
                     RecoveryReport& report) {
    if (is_of_this_boot(state, boot_id)) return;
    for (const Lease& lease : state.leases)
        store.remove(lease.id);
    report.notes.push_back("The machine has rebooted; " + std::to_string(state.leases.size()) +
                           " leases of the earlier boot have ended.");
    state.leases.clear();
}

/// A request that was cut off half-way never got its answer: nothing of it may stay.
void undo_intent(const Lease& lease, StateStore& store, Executor& executor,
                 RecoveryReport& report) {
    Plan undo;
    if (lease.hold != Hold::none) {
        undo.push_back(lease_edit(EditKind::detach, lease, {}));
    }
    if (lease.hold == Hold::cpuset) {
        undo.push_back(lease_edit(EditKind::remove_lease, lease, {}));
    }
    const Executor::Leases leases{{lease.id, &lease}};
    for (const Edit& edit : undo) {
        const Status undone = executor.apply({edit}, leases);
        if (!undone) report.notes.push_back("Lease " + lease.id + ": " + undone.error().message);
    }
    store.remove(lease.id);
    report.notes.push_back("Lease " + lease.id + " was being made or ended; it was undone.");
}

/// Only leases that someone still holds decide which pools fit.
std::vector<Lease> live_leases(StoredState& state, StateStore& store, Cgroups& cgroups,
                               Processes& processes, Executor& executor, RecoveryReport& report) {
    std::vector<Lease> live;
    for (Lease& lease : state.leases) {
        if (lease.status == LeaseStatus::intent) {
            undo_intent(lease, store, executor, report);
        } else if (is_alive(lease, cgroups, processes)) {
            live.push_back(std::move(lease));
        } else {
            if (lease.hold == Hold::cpuset) {
                (void)cgroups.remove_lease(group_of(lease), lease.cpus);
            }
            store.remove(lease.id);
        }
    }
    return live;
}

}  // namespace

Result<RecoveryReport> recover(StateStore& store, Cgroups& cgroups, Processes& processes,
                               Executor& executor, Committer& committer, Audit& audit,
                               const Result<PoolPlan>& planned, const std::string& boot_id) {
    RecoveryReport report;
    CMK_TRY_ASSIGN(StoredState state, store.load());
    CMK_TRY(check_formats(state, boot_id));
    report.is_first_of_boot = state.boot_id != boot_id;
    set_bad_aside(store, state.bad, report);
    set_bad_aside(store, state.foreign, report);
    forget_old_boot(store, state, boot_id, report);
    const auto live = live_leases(state, store, cgroups, processes, executor, report);

    const Status taken = planned ? committer.adopt({.added = live, .pools = planned->pools})
                                 : Status(planned.error());
    if (!taken) {
        if (state.pools.empty()) return taken.error();
        report.kept_pools = "the configured pools cannot be had (" + taken.error().message +
                            "); the earlier pools stay in force";
        CMK_TRY(committer.adopt({.added = live, .pools = state.pools}));
    }
    CMK_TRY(store.save_boot_id(boot_id));
    CMK_TRY(store.save_pools(committer.ledger().pools()));
    report.audit = audit.run(reserved_by(state.pools));
    return report;
}

}  // namespace cmk
