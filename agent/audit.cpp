// SPDX-License-Identifier: Apache-2.0
#include "agent/audit.h"

#include <algorithm>

#include "base/text.h"

namespace cmk {

namespace {

LeaseGroup group_of(const Lease& lease) {
    return {lease.pool, lease.id};
}

Check check_group(Cgroups& cgroups, const Lease& lease) {
    const auto effective = cgroups.effective(group_of(lease));
    Check check{"cpuset", false, ""};
    if (!effective) {
        check.evidence = effective.error().message;
    } else {
        check.passed = *effective == lease.cpus;
        check.evidence =
            "effective CPUs " + effective->to_cpulist() + ", leased " + lease.cpus.to_cpulist();
    }
    return check;
}

Check check_owner(Processes& processes, const Lease& lease, std::size_t members) {
    const auto owner = processes.open(lease.owner.pid, lease.owner.start_time);
    Check check{"owner", owner.has_value() || members > 0, ""};
    check.evidence = owner ? "process " + std::to_string(lease.owner.pid) + " runs"
                           : "the first process has ended";
    if (lease.hold == Hold::cpuset) {
        check.evidence += ", " + counted(members, "process", "processes") + " in the group";
    }
    return check;
}

Check check_affinity(Processes& processes, const Lease& lease, const std::vector<int>& pids) {
    Check check{"affinity", true, "every thread stays on CPUs " + lease.cpus.to_cpulist()};
    for (const int pid : pids) {
        for (const ThreadMask& mask : processes.masks(pid)) {
            if (lease.cpus.contains_all(mask.cpus)) continue;
            check.passed = false;
            check.evidence =
                "thread " + std::to_string(mask.tid) + " may use CPUs " + mask.cpus.to_cpulist();
        }
    }
    return check;
}

std::string how_to_raise(const Lease& lease, const Cgroups& cgroups) {
    if (lease.hold == Hold::none) return "let the agent pin the program (without --no-affinity)";
    if (!cgroups.has_groups()) {
        return "make a cpuset hierarchy available (cgroup v2 with the cpuset controller)";
    }
    return "an exclusive partition: cgroup v2 on Linux 6.7 or newer";
}

}  // namespace

bool is_alive(const Lease& lease, Cgroups& cgroups, Processes& processes) {
    if (lease.owner.pid != 0 && processes.open(lease.owner.pid, lease.owner.start_time))
        return true;
    if (lease.hold != Hold::cpuset) return false;
    const auto members = cgroups.members(group_of(lease));
    return members && !members->empty();
}

ReconcileReport Audit::run() {
    ReconcileReport report;
    mend_pools(report);
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
        found.pools->push_back({std::move(spec), cgroups_.pool_cpus(name)});
    }
    Ledger machine;
    // Groups that overlap are taken one by one: the plan below shrinks before it grows.
    if (!machine.apply(found)) machine = Ledger{};
    const Plan plan = make_plan(machine, {.pools = committer_.ledger().pools()});
    if (plan.empty()) return;
    // Edit by edit and without undo: one group that cannot be mended keeps no other from it.
    bool all_done = true;
    for (const Edit& edit : plan) {
        const Status done = executor_.apply({edit}, {});
        if (!done) report.problems.push_back("pool " + edit.pool + ": " + done.error().message);
        all_done = all_done && done;
    }
    if (!all_done) return;
    report.repaired.push_back("The groups of the pools were set to what the pools are.");
}

void Audit::mend_lease(const Lease& lease, ReconcileReport& report) {
    if (!is_alive(lease, cgroups_, processes_)) {
        const Status gone = committer_.commit({.removed = {lease.id}});
        if (gone) report.repaired.push_back("Lease " + lease.id + ": nobody is left; it ended.");
        if (!gone) report.problems.push_back("lease " + lease.id + ": " + gone.error().message);
        return;
    }
    if (lease.hold == Hold::none || executor_.read_back(lease)) return;
    Plan again;
    if (lease.hold == Hold::cpuset) {
        again.push_back({EditKind::make_lease, lease.pool, lease.id, lease.cpus});
    }
    if (lease.owner.pid != 0 && processes_.open(lease.owner.pid, lease.owner.start_time)) {
        again.push_back({EditKind::attach, lease.pool, lease.id, lease.cpus});
    }
    Status mended;
    // No undo: a half-mended lease is nearer to right than the state it was found in.
    for (const Edit& edit : again) {
        if (mended) mended = executor_.apply({edit}, {{lease.id, &lease}});
    }
    if (mended) mended = executor_.read_back(lease);
    if (mended) report.repaired.push_back("Lease " + lease.id + ": its CPUs were set again.");
    if (!mended) report.problems.push_back("lease " + lease.id + ": " + mended.error().message);
}

void Audit::handle_strays(ReconcileReport& report) {
    const auto groups = cgroups_.leases();
    if (!groups) return report.problems.push_back(groups.error().message);
    for (const FoundGroup& found : *groups) {
        if (committer_.ledger().lease(found.group.lease) != nullptr) continue;
        const auto members = cgroups_.members(found.group);
        if (members && !members->empty()) {
            adopt(found, report);
        } else if (cgroups_.remove_lease(found.group)) {
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

LeaseVerdict Audit::verify(const Lease& lease) {
    LeaseVerdict verdict{.lease = lease};
    std::vector<int> pids;
    if (lease.hold == Hold::cpuset) {
        verdict.checks.push_back(check_group(cgroups_, lease));
        const auto members = cgroups_.members(group_of(lease));
        if (members) pids = *members;
    } else if (processes_.open(lease.owner.pid, lease.owner.start_time)) {
        pids.push_back(lease.owner.pid);
    }
    verdict.checks.push_back(check_owner(processes_, lease, pids.size()));
    if (lease.hold != Hold::none) {
        verdict.checks.push_back(check_affinity(processes_, lease, pids));
    }
    const Pool* pool = committer_.ledger().pool(lease.pool);
    if (pool != nullptr) {
        verdict.checks.push_back({"grade", is_at_least(lease.grade, pool->spec.require_grade),
                                  "grade " + std::string(to_text(lease.grade)) + ", pool wants " +
                                      std::string(to_text(pool->spec.require_grade)) +
                                      " or better"});
    }
    verdict.passed = std::all_of(verdict.checks.begin(), verdict.checks.end(),
                                 [](const Check& check) { return check.passed; });
    verdict.raise = how_to_raise(lease, cgroups_);
    return verdict;
}

}  // namespace cmk
