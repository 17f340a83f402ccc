// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/cgroups.h"
#include "agent/committer.h"
#include "agent/processes.h"
#include "core/report.h"

namespace cmk {

/// Compares the whole machine with the ledger and mends what differs: at start, on request, and
/// when something looks wrong. Its cost grows with the number of leases; requests never wait for
/// it.
class Audit {
public:
    Audit(Cgroups& cgroups, Processes& processes, Committer& committer, Executor& executor,
          StateStore& store)
        : cgroups_(cgroups),
          processes_(processes),
          committer_(committer),
          executor_(executor),
          store_(store) {}

    /// `held_before`: CPUs that partitions of ours had before a restart, besides those of the
    /// ledger; only of these are lost ones given back.
    ReconcileReport run(const CpuSet& held_before = {});

    /// CPUs of ours that the last run found lost: online, but nobody's.
    const CpuSet& lost() const { return lost_; }

    /// Does a lease in place lack the partition that it should have?
    bool has_weak_place() const;

    /// Checks one lease without changing anything.
    LeaseVerdict verify(const Lease& lease);

private:
    void clear_stale(ReconcileReport& report);
    void mend_pools(ReconcileReport& report);
    bool mend_pool(const Edit& edit, ReconcileReport& report);
    bool return_lost(const CpuSet& held, ReconcileReport& report);
    bool is_well_held(const Lease& lease, Grade grade) const;
    void mend_lease(const Lease& lease, ReconcileReport& report);
    void note_grade(const Lease& lease, Grade grade, ReconcileReport& report);
    void handle_strays(ReconcileReport& report);
    void adopt(const FoundGroup& found, ReconcileReport& report);

    Cgroups& cgroups_;
    Processes& processes_;
    Committer& committer_;
    Executor& executor_;
    StateStore& store_;
    CpuSet lost_ = {};
};

/// Is anyone left whom the lease is for: its owner, or a process in its group?
bool is_alive(const Lease& lease, Cgroups& cgroups, Processes& processes);

}  // namespace cmk
