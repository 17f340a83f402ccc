// SPDX-License-Identifier: Apache-2.0
#include "support/topologies.h"

#include <utility>
#include <vector>

#include "support/machines.h"

namespace cmk::test {

namespace {

Topology build(std::vector<CpuRecord> records) {
    return Topology::from_records(std::move(records)).value();
}

}  // namespace

Topology make_uniform(unsigned packages, unsigned numa_per_package, unsigned llc_per_numa,
                      unsigned cores_per_llc, unsigned threads) {
    return testing::make_machine({.packages = packages,
                                  .numas = numa_per_package,
                                  .llcs = llc_per_numa,
                                  .cores = cores_per_llc,
                                  .siblings = threads});
}

Topology single_socket_smt() {
    return make_uniform(1, 1, 1, 4, 2);
}

Topology dual_socket_numa() {
    return make_uniform(2, 1, 1, 4, 2);
}

Topology dual_socket_interleaved() {
    std::vector<CpuRecord> records;
    for (unsigned cpu = 0; cpu < 16; ++cpu) {
        const unsigned package = cpu % 2;
        records.push_back(
            {.cpu = cpu, .core = cpu % 8, .package = package, .numa = package, .llc = package});
    }
    return build(std::move(records));
}

Topology amd_nps4_split_l3() {
    return make_uniform(1, 4, 2, 2, 2);
}

Topology hybrid() {
    std::vector<CpuRecord> records;
    for (unsigned cpu = 0; cpu < 4; ++cpu)
        records.push_back({.cpu = cpu, .core = cpu / 2, .kind = "IntelCore"});
    for (unsigned cpu = 4; cpu < 8; ++cpu)
        records.push_back({.cpu = cpu, .core = cpu - 2, .kind = "IntelAtom"});
    return build(std::move(records));
}

Topology holes_offline() {
    return build({{.cpu = 0, .core = 0},
                  {.cpu = 4, .core = 0},
                  {.cpu = 1, .core = 1},
                  {.cpu = 2, .core = 2},
                  {.cpu = 6, .core = 2},
                  {.cpu = 3, .core = 3},
                  {.cpu = 70, .core = 9}});
}

Topology random_topology(std::mt19937& random) {
    const auto pick = [&](unsigned low, unsigned high) {
        return std::uniform_int_distribution<unsigned>(low, high)(random);
    };
    const Topology whole = make_uniform(pick(1, 2), pick(1, 2), pick(1, 3), pick(1, 4), pick(1, 2));
    std::vector<CpuRecord> records;
    for (const CpuRecord& record : whole.records()) {
        if (pick(0, 9) != 0) records.push_back(record);
    }
    return records.empty() ? whole : build(std::move(records));
}

}  // namespace cmk::test
