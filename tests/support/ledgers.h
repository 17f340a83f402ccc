// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/ledger.h"

namespace cmk::test {

inline CpuSet cpu_set(const std::string& list) {
    return CpuSet::parse(list).value();
}

inline Pool pool_of(std::string name, PoolKind kind, const std::string& cpus) {
    return Pool{.spec = {.name = std::move(name), .kind = kind, .size = cpu_set(cpus)},
                .cpus = cpu_set(cpus),
                .boot_isolated = false};
}

inline Pool exclusive_pool(const std::string& cpus) {
    return pool_of("exclusive", PoolKind::exclusive, cpus);
}

inline Pool shared_pool(const std::string& cpus) {
    return pool_of("shared", PoolKind::shared, cpus);
}

inline Lease lease_of(std::string id, std::string pool, const std::string& cpus,
                      Hold hold = Hold::cpuset) {
    Lease lease{.id = std::move(id), .pool = std::move(pool), .cpus = cpu_set(cpus)};
    lease.hold = hold;
    lease.owner.pid = 1000;
    lease.owner.command = "worker";
    lease.owner.user = "alice";
    return lease;
}

/// Throws where the ledger refuses: the test is wrong then.
inline Ledger ledger_of(std::vector<Pool> pools, std::vector<Lease> leases = {}) {
    Ledger ledger;
    LedgerDelta delta{.removed = {}, .added = std::move(leases), .pools = std::move(pools)};
    if (Status applied = ledger.apply(std::move(delta)); !applied) {
        throw std::invalid_argument(applied.error().message);
    }
    return ledger;
}

}  // namespace cmk::test
