// SPDX-License-Identifier: Apache-2.0
#include "agent/audit.h"

#include <algorithm>

namespace cmk {

bool is_alive(const Lease& lease, Cgroups& cgroups, Processes& processes) {
    if (lease.owner.pid != 0 && processes.open(lease.owner.pid, lease.owner.start_time))
        return true;
    if (lease.hold != Hold::cpuset) return false;
    const auto members = cgroups.members(group_of(lease));
    return members && !members->empty();
}

ReconcileReport Audit::run(const CpuSet& held_before) {
    ReconcileReport report;
    lost_ = CpuSet{};
    clear_stale(report);
    mend_pools(report);
    const std::string home = cgroups_.home_problem();
    if (!home.empty()) report.problems.push_back(home);
    if (return_lost(held_before | reserved_by(committer_.ledger().pools()), report)) {
        mend_pools(report);
    }
    // A copy: mending changes the ledger.
    const auto leases = committer_.ledger().leases();
    for (const auto& [id, lease] : leases)
        mend_lease(lease, report);
    if (cgroups_.has_groups()) handle_strays(report);
    report.leases = static_cast<unsigned>(committer_.ledger().leases().size());
    return report;
}

/// Plans from what the machine has to what the ledger says, with the planner that requests use.
void Audit::mend_pools(ReconcileReport& report) {
    if (!cgroups_.has_groups()) return;
    const auto names = cgroups_.pools();
    if (!names) return report.problems.push_back(names.error().message);
    LedgerDelta found{.pools = std::vector<Pool>{}};
    for (const std::string& name : *names) {
        const Pool* wanted = committer_.ledger().pool(name);
        PoolSpec spec = wanted == nullptr ? PoolSpec{.name = name} : wanted->spec;
        const PoolState state = cgroups_.pool_state(name);
        found.pools->push_back(
            {.spec = std::move(spec),
             .cpus = state.cpus,
             .partition = state.valid ? state.partition : PartitionType::member});
    }
    Ledger machine;
    // Groups that overlap are taken one by one: the plan below shrinks before it grows.
    if (!machine.apply(found)) machine = Ledger{};
    const Plan plan = make_plan(machine, {.pools = standing_pools(committer_.ledger())});
    if (plan.empty()) return;
    // Edit by edit and without undo: one group that cannot be mended keeps no other from it.
    bool all_done = true;
    for (const Edit& edit : plan)
        all_done = mend_pool(edit, report) && all_done;
    if (!all_done) return;
    report.repaired.push_back("The groups of the pools were set to what the pools are.");
}

bool Audit::mend_pool(const Edit& edit, ReconcileReport& report) {
    const Status done = executor_.apply({edit}, {});
    if (done) return true;
    report.problems.push_back((edit.pool.empty() ? "" : "pool " + edit.pool + ": ") +
                              done.error().message);
    const bool is_pool = edit.kind == EditKind::make_pool || edit.kind == EditKind::set_pool;
    if (is_pool && edit.partition != PartitionType::member) {
        // Its leases are held by a plain cpuset until the partition can be made.
        Edit weaker = edit;
        weaker.partition = PartitionType::member;
        (void)executor_.apply({weaker}, {});
    }
    return false;
}

/// Groups of containers that have ended leave their claims on CPUs in the groups above them.
void Audit::clear_stale(ReconcileReport& report) {
    CpuSet cpus;
    for (const Pool& pool : committer_.ledger().pools()) {
        if (pool.spec.kind == PoolKind::exclusive) cpus |= pool.cpus;
    }
    std::vector<FoundGroup> live;
    for (const auto& [id, lease] : committer_.ledger().leases()) {
        if (lease.is_in_place()) live.push_back({group_of(lease), lease.cpus});
    }
    if (!cgroups_.clear_stale(cpus, live)) return;
    report.repaired.push_back("Claims on CPUs that ended leases had left were taken back.");
}

/// CPUs that nobody can use any more. Others may have lost some of theirs: those are theirs.
bool Audit::return_lost(const CpuSet& held, ReconcileReport& report) {
    if (!cgroups_.has_groups() || held.empty()) return false;
    const auto lost = cgroups_.lost_cpus();
    const CpuSet ours = lost ? *lost & held : CpuSet{};
    lost_ = ours;
    if (lost && ours.empty()) return false;
    const Status returned = lost ? cgroups_.return_lost(ours) : Status(lost.error());
    const std::string cpus = "CPUs " + ours.to_cpulist();
    if (returned) {
        report.repaired.push_back("The kernel had lost " + cpus + "; everybody has them again.");
    } else {
        report.problems.push_back("the kernel has lost " + cpus + ": " + returned.error().message);
    }
    return returned.has_value();
}

/// A partition in place is mended with its lease; those of pools were before.
bool Audit::is_well_held(const Lease& lease, Grade grade) const {
    const auto& pools = committer_.ledger().pools();
    const bool partition =
        cgroups_.abilities().remote_partitions &&
        lease_edit(EditKind::make_lease, lease, pools).partition != PartitionType::member;
    return !partition || is_at_least(grade, Grade::B);
}

bool Audit::has_weak_place() const {
    const auto& leases = committer_.ledger().leases();
    return std::any_of(leases.begin(), leases.end(), [&](const auto& entry) {
        return entry.second.is_in_place() && !is_well_held(entry.second, entry.second.grade);
    });
}

void Audit::mend_lease(const Lease& lease, ReconcileReport& report) {
    if (!is_alive(lease, cgroups_, processes_)) {
        const Status gone = committer_.commit({.removed = {lease.id}});
        if (gone) report.repaired.push_back("Lease " + lease.id + ": nobody is left; it ended.");
        if (!gone) report.problems.push_back("lease " + lease.id + ": " + gone.error().message);
        return;
    }
    if (lease.hold == Hold::none) return;
    const auto found = executor_.read_back(lease);
    if (found && is_well_held(lease, *found)) return note_grade(lease, *found, report);
    const Status mended = executor_.mend(
        lease, lease_edit(EditKind::make_lease, lease, committer_.ledger().pools()).partition);
    const auto grade = executor_.read_back(lease);
    if (!mended || !grade) {
        const Error& why = mended ? grade.error() : mended.error();
        report.problems.push_back("lease " + lease.id + ": " + why.message);
    } else {
        report.repaired.push_back("Lease " + lease.id + ": its CPUs were set again.");
    }
    // What is not as it should be, the kernel vouches for nothing of.
    note_grade(lease, grade ? *grade : Grade::D, report);
}

/// The grade is what the kernel vouches for at this moment.
void Audit::note_grade(const Lease& lease, Grade grade, ReconcileReport& report) {
    if (grade == lease.grade) return;
    Lease changed = lease;
    changed.grade = grade;
    Status noted = store_.update(changed);
    if (noted) noted = committer_.adopt({.removed = {lease.id}, .added = {std::move(changed)}});
    if (!noted) report.problems.push_back("lease " + lease.id + ": " + noted.error().message);
    const std::string text = "Lease " + lease.id + ": its grade is " + std::string(to_text(grade)) +
                             ", it was " + std::string(to_text(lease.grade)) + ".";
    (is_at_least(grade, lease.grade) ? report.repaired : report.problems).push_back(text);
}

void Audit::handle_strays(ReconcileReport& report) {
    const auto groups = cgroups_.leases();
    if (!groups) return report.problems.push_back(groups.error().message);
    for (const FoundGroup& found : *groups) {
        if (committer_.ledger().lease(found.group.lease) != nullptr) continue;
        const auto members = cgroups_.members(found.group);
        if (members && !members->empty()) {
            adopt(found, report);
        } else if (cgroups_.remove_lease(found.group, found.cpus)) {
            report.repaired.push_back("Group " + found.group.lease +
                                      " belonged to no lease and was empty; it was removed.");
        }
    }
}

/// A filled group without a state file still keeps its CPUs from others.
void Audit::adopt(const FoundGroup& found, ReconcileReport& report) {
    Lease lease{.id = found.group.lease,
                .pool = found.group.pool,
                .cpus = found.cpus,
                .status = LeaseStatus::committed,
                .grade = Grade::C};
    lease.owner.cgroup = "/";
    Status taken = committer_.adopt({.added = {lease}});
    if (taken) taken = store_.save_intent(lease);
    if (taken) taken = store_.commit(lease.id);
    if (taken) {
        report.repaired.push_back("Group " + lease.id +
                                  " holds processes but had no record; it is a lease again.");
    } else {
        report.problems.push_back(
            "group " + lease.id +
            " holds processes and belongs to no lease: " + taken.error().message);
    }
}

}  // namespace cmk
