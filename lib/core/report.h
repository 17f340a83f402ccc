// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/lease.h"
#include "core/pool.h"
#include "core/topology.h"

namespace cmk {

/// The answer to a successful isolate.
struct Grant {
    std::string lease;
    CpuSet cpus;
    Grade grade = Grade::D;
    std::vector<std::string> notes = {};  ///< what the caller should know, full sentences
    std::optional<CpuSet> shared = {};    ///< CPUs of the pool named "shared", where there is one
    std::optional<CpuSet> infra = {};     ///< CPUs of the pool named "infra", where there is one

    friend bool operator==(const Grant&, const Grant&) = default;
};

/// A pool as seen from outside.
struct PoolReport {
    Pool pool;
    CpuSet free = {};    ///< CPUs no exclusive lease holds
    unsigned cores = 0;  ///< physical cores in the pool
    unsigned free_cores = 0;
    unsigned leases = 0;
    unsigned waiting = 0;  ///< requests queued for it

    friend bool operator==(const PoolReport&, const PoolReport&) = default;
};

/// The host as seen from outside.
struct HostReport {
    Topology topology;
    CpuSet isolated = {};        ///< CPUs isolated at boot
    std::string mechanism = {};  ///< "cgroup v1 cpuset", "cgroup v2 cpuset" or "affinity"
    std::string version = {};    ///< of the agent
    /// What is wrong and could not be mended, as the last audit saw it: what, why, what to do.
    std::vector<std::string> problems = {};
};

/// One thing that was checked, with what was seen.
struct Check {
    std::string what;  ///< "cpuset"
    bool passed = false;
    std::string evidence;  ///< "effective 2-3, wanted 2-3"

    friend bool operator==(const Check&, const Check&) = default;
};

/// What verify found for one lease.
struct LeaseVerdict {
    Lease lease;
    bool passed = false;
    std::vector<Check> checks = {};
    std::string raise = {};  ///< what would raise the grade

    friend bool operator==(const LeaseVerdict&, const LeaseVerdict&) = default;
};

/// What reconfigure did, or with dry_run would do.
struct ReconfigureReport {
    bool changed = false;
    std::vector<PoolReport> pools = {};
    std::vector<std::string> changes = {};  ///< full sentences
    std::vector<std::string> warnings = {};

    friend bool operator==(const ReconfigureReport&, const ReconfigureReport&) = default;
};

/// What reconcile found and mended.
struct ReconcileReport {
    unsigned leases = 0;  ///< live ones after it
    std::vector<std::string> repaired = {};
    std::vector<std::string> problems = {};  ///< what it could not mend

    friend bool operator==(const ReconcileReport&, const ReconcileReport&) = default;
};

/// Something that happened, for monitors.
struct Event {
    enum class Kind {
        lease_added,
        lease_removed,
        lease_refused,  ///< somebody asked and got none
        grade_changed,
        cpus_changed,
        pools_changed,
    };
    Kind kind = Kind::pools_changed;
    std::optional<Lease> lease = {};
    /// For lease_removed; for lease_refused why; for grade_changed what it was; for cpus_changed
    /// what happened to them; for pools_changed what kubelet has of their CPUs, if that changed.
    std::string reason = {};

    friend bool operator==(const Event&, const Event&) = default;
};

std::string_view to_text(Event::Kind kind);

/// The report of each pool, in the ledger's order; `waiting` is left at 0.
std::vector<PoolReport> report_pools(const Topology& topology, const class Ledger& ledger);

/// How many whole cores of the topology lie in `cpus`.
unsigned count_cores(const Topology& topology, const CpuSet& cpus);

}  // namespace cmk
