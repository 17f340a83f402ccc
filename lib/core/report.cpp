// SPDX-License-Identifier: Apache-2.0
#include "core/report.h"

#include <map>

#include "core/ledger.h"

namespace cmk {

std::string_view to_text(Event::Kind kind) {
    switch (kind) {
        case Event::Kind::lease_added: return "lease-added";
        case Event::Kind::lease_removed: return "lease-removed";
        case Event::Kind::lease_refused: return "lease-refused";
        case Event::Kind::grade_changed: return "grade-changed";
        case Event::Kind::cpus_changed: return "cpus-changed";
        case Event::Kind::pools_changed: return "pools-changed";
    }
    return "?";
}

std::vector<PoolReport> report_pools(const Topology& topology, const Ledger& ledger) {
    std::map<std::string_view, unsigned> leases;
    for (const auto& entry : ledger.leases())
        ++leases[entry.second.pool];
    std::vector<PoolReport> reports;
    for (const Pool& pool : ledger.pools()) {
        PoolReport report{.pool = pool, .free = ledger.free(pool)};
        report.cores = count_cores(topology, pool.cpus);
        report.free_cores = count_cores(topology, report.free);
        report.leases = leases[pool.spec.name];
        reports.push_back(std::move(report));
    }
    return reports;
}

unsigned count_cores(const Topology& topology, const CpuSet& cpus) {
    return static_cast<unsigned>(topology.cores_within(cpus).size());
}

}  // namespace cmk
