// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/executor.h"
#include "agent/state_store.h"
#include "core/ledger.h"

namespace cmk {

/// The one path from a candidate to a changed machine: check, persist the intent, apply, read
/// back, commit; on failure everything is as it was. Owns the ledger.
class Committer {
public:
    Committer(Executor& executor, StateStore& store) : executor_(executor), store_(store) {}

    const Ledger& ledger() const { return ledger_; }

    /// Errors: those of Ledger::check, Executor and StateStore; nothing has changed then.
    Status commit(LedgerDelta delta);

    /// Takes over what the machine already has, without touching it.
    Status adopt(LedgerDelta delta) { return ledger_.apply(std::move(delta)); }

private:
    Status persist_intent(const LedgerDelta& delta);
    Status apply(LedgerDelta& delta);
    Status read_back(Lease& lease, const LedgerDelta& delta);
    Status persist_commit(const LedgerDelta& delta);
    void take_back(const LedgerDelta& delta);
    Executor::Leases named(const LedgerDelta& delta) const;

    Executor& executor_;
    StateStore& store_;
    Ledger ledger_;
};

}  // namespace cmk
