// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/audit.h"
#include "agent/state_store.h"

namespace cmk {

/// What start-up decided, for the log.
struct RecoveryReport {
    std::vector<std::string> notes = {};  ///< what was undone or refused, full sentences
    ReconcileReport audit = {};
    bool kept_old_pools = false;  ///< the configuration's pools do not fit the live leases
};

/// Takes up what an earlier agent left. Interrupted requests are undone, live leases keep their
/// CPUs, and of `wanted` and the pools last in force the ones that fit the live leases are used.
/// Errors: io, conflict when neither fits.
Result<RecoveryReport> recover(StateStore& store, Cgroups& cgroups, Processes& processes,
                               Executor& executor, Committer& committer, Audit& audit,
                               const std::vector<Pool>& wanted, const std::string& boot_id);

}  // namespace cmk
