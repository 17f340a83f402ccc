// SPDX-License-Identifier: Apache-2.0
// The part of the audit that checks one lease and says what would raise its grade.
#include <algorithm>

#include "agent/audit.h"
#include "base/text.h"

namespace cmk {

namespace {

void check_group(Cgroups& cgroups, const Lease& lease, PartitionType partition,
                 std::vector<Check>& checks) {
    const auto found = cgroups.confinement(group_of(lease));
    if (!found) return checks.push_back({"cpuset", false, found.error().message});
    checks.push_back({"cpuset", found->effective == lease.cpus,
                      "effective CPUs " + found->effective.to_cpulist() + ", leased " +
                          lease.cpus.to_cpulist()});
    if (partition != PartitionType::member) {
        const std::string rivals = found->exclusive ? "" : cgroups.rivals(lease.pool, lease.cpus);
        checks.push_back({"partition", found->exclusive,
                          found->evidence + (rivals.empty() ? "" : "; wanted" + rivals)});
    }
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

/// Nothing that is wrong, but what can become of the container (docs/isolation.md).
void check_runtime(const Lease& lease, std::vector<Check>& checks) {
    if (lease.place.kind != PlaceKind::child) return;
    if (lease.place.path.find("/cri-containerd-") == std::string::npos) return;
    checks.push_back(
        {"runtime", true,
         "containerd 1.7, and later releases that clean up shims as it does, let go of "
         "this container when they restart; the lease stays"});
}

/// A grade that has dropped since the last audit fails, whatever the pool wants.
Check check_grade(const Lease& lease, Grade now, const Pool& pool) {
    const Grade wanted = pool.spec.require_grade;
    const bool has_dropped = !is_at_least(now, lease.grade);
    Check check{"grade", !has_dropped && is_at_least(now, wanted),
                "grade " + std::string(to_text(now))};
    if (has_dropped) check.evidence += ", it was " + std::string(to_text(lease.grade));
    check.evidence += ", pool wants " + std::string(to_text(wanted)) + " or better";
    return check;
}

std::string how_to_raise(const Lease& lease, const Pool* pool, const Abilities& abilities) {
    if (lease.hold == Hold::none) return "let the agent pin the program (without --no-affinity)";
    if (!abilities.cpusets) {
        return "make a cpuset hierarchy available (cgroup v2 with the cpuset controller)";
    }
    if (lease.hold == Hold::affinity) return "give the pool isolation = \"auto\"";
    if (lease.grade == Grade::A) return "";
    // A local partition cannot hold CPUs isolated at boot.
    const bool boot_isolated = pool != nullptr && pool->boot_isolated;
    const bool needs_newer = lease.grade == Grade::B || boot_isolated;
    if (needs_newer && !abilities.remote_partitions) {
        return lease.grade == Grade::B ? "grade A needs Linux 6.7 or newer"
                                       : "an exclusive partition of CPUs isolated at boot needs "
                                         "Linux 6.7 or newer, and cmk-agent as a service";
    }
    if (lease.grade == Grade::B) {
        const std::string away =
            "direct interrupts and unbound kernel work away from them (verify as root names both), "
            "then cmkctl reconcile";
        return boot_isolated ? away : "isolate its CPUs at boot (isolcpus=), and " + away;
    }
    if (pool != nullptr && pool->partition != PartitionType::member) {
        return "see the partition check: what it names is in the way; then cmkctl reconcile";
    }
    if (abilities.remote_partitions) return "give the pool isolation = \"partition\"";
    if (abilities.local_partitions) {
        return "give the pool isolation = \"partition\" (Linux 6.7 and newer: \"auto\" does it)";
    }
    return "an exclusive partition: cgroup v2 on Linux 6.7 or newer, and cmk-agent as a service";
}

}  // namespace

LeaseVerdict Audit::verify(const Lease& lease) {
    LeaseVerdict verdict{.lease = lease};
    const Pool* pool = committer_.ledger().pool(lease.pool);
    std::vector<int> pids;
    if (lease.hold == Hold::cpuset) {
        check_group(cgroups_, lease, pool != nullptr ? pool->partition : PartitionType::member,
                    verdict.checks);
        const auto members = cgroups_.members(group_of(lease));
        if (members) pids = *members;
    } else if (processes_.open(lease.owner.pid, lease.owner.start_time)) {
        pids.push_back(lease.owner.pid);
    }
    verdict.checks.push_back(check_owner(processes_, lease, pids.size()));
    if (lease.hold != Hold::none) {
        verdict.checks.push_back(check_affinity(processes_, lease, pids));
    }
    check_runtime(lease, verdict.checks);
    Lease as_held = lease;
    const auto grade = executor_.read_back(lease);
    as_held.grade = grade ? *grade : Grade::D;
    if (pool != nullptr) verdict.checks.push_back(check_grade(lease, as_held.grade, *pool));
    verdict.passed = std::all_of(verdict.checks.begin(), verdict.checks.end(),
                                 [](const Check& check) { return check.passed; });
    verdict.raise = how_to_raise(as_held, pool, cgroups_.abilities());
    return verdict;
}

}  // namespace cmk
