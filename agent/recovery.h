// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/audit.h"
#include "agent/state_store.h"
#include "core/pool_planner.h"

namespace cmk {

/// What start-up decided, for the log.
struct RecoveryReport {
    std::vector<std::string> refused = {};  ///< state files, full sentences
    std::vector<std::string> notes = {};    ///< what was undone or has ended, full sentences
    bool is_first_of_boot = false;          ///< no agent has started since the machine did
    ReconcileReport audit = {};
    std::string kept_pools = {};  ///< why the pools are those of before; "" where they are not
};

/// Takes up what an earlier agent left. Interrupted requests are undone, live leases keep their
/// CPUs, and of the planned pools and those last in force the ones that fit the live leases are
/// used. Errors: io; conflict when neither fits, or for state that only another version can read.
Result<RecoveryReport> recover(StateStore& store, Cgroups& cgroups, Processes& processes,
                               Executor& executor, Committer& committer, Audit& audit,
                               const Result<PoolPlan>& planned, const std::string& boot_id);

}  // namespace cmk
