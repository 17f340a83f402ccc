// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/lease.h"
#include "core/pool.h"

namespace cmk {

/// The difference between the ledger and a candidate. One value instead of two ledgers keeps a
/// request's cost independent of the number of leases.
struct LedgerDelta {
    std::vector<std::string> removed = {};  ///< lease ids
    std::vector<Lease> added = {};          ///< also replaces a removed lease of the same id
    std::optional<std::vector<Pool>> pools = {};
};

/// Who owns which CPUs: the only place where ownership changes.
///
/// Invariants: no CPU in two exclusive leases; leases inside their pool; pools disjoint.
class Ledger {
public:
    /// Would the delta keep the invariants? Errors: conflict, unknown_pool, unknown_lease, each
    /// naming the lease or pool.
    Status check(const LedgerDelta& delta) const;

    /// Checks, then applies; unchanged on error.
    Status apply(LedgerDelta delta);

    const std::vector<Pool>& pools() const { return pools_; }
    const Pool* pool(std::string_view name) const { return find_pool(pools_, name); }
    const std::map<std::string, Lease, std::less<>>& leases() const { return leases_; }
    const Lease* lease(std::string_view id) const;
    /// CPUs under exclusive leases of that pool.
    const CpuSet& leased(std::string_view pool) const;
    /// CPUs of that pool's exclusive leases that have no group in the pool's.
    const CpuSet& outside(std::string_view pool) const;
    /// CPUs of the pool that no exclusive lease holds; all of them for a shared pool.
    CpuSet free(const Pool& pool) const;

private:
    Status check_pools(const LedgerDelta& delta) const;
    Status check_added(const LedgerDelta& delta) const;

    std::vector<Pool> pools_;
    std::map<std::string, Lease, std::less<>> leases_;
    // by exclusive pool
    std::map<std::string, CpuSet, std::less<>> leased_;
    std::map<std::string, CpuSet, std::less<>> outside_;
};

}  // namespace cmk
