// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/report.h"

namespace cmk::testing {

/// A regular machine: each level counts per parent. CPU ids as Linux gives them on x86: first
/// siblings of all cores, then second ones.
struct MachineShape {
    unsigned packages = 1;
    unsigned numas = 1;
    unsigned llcs = 1;
    unsigned cores = 1;
    unsigned siblings = 1;
};

inline Topology make_machine(const MachineShape& shape) {
    const unsigned llcs = shape.packages * shape.numas * shape.llcs;
    const unsigned cores = llcs * shape.cores;
    std::vector<CpuRecord> records;
    for (unsigned core = 0; core < cores; ++core) {
        const unsigned llc = core / shape.cores;
        const unsigned numa = llc / shape.llcs;
        for (unsigned sibling = 0; sibling < shape.siblings; ++sibling) {
            records.push_back({.cpu = core + sibling * cores,
                               .core = core,
                               .package = numa / shape.numas,
                               .numa = numa,
                               .llc = llc});
        }
    }
    return Topology::from_records(std::move(records)).value();
}

inline CpuSet cpus(const char* list) {
    return CpuSet::parse(list).value();
}

inline PoolReport make_pool(const char* name, PoolKind kind, const char* list, unsigned cores) {
    PoolReport report;
    report.pool.spec.name = name;
    report.pool.spec.kind = kind;
    report.pool.cpus = cpus(list);
    report.free = report.pool.cpus;
    report.cores = cores;
    report.free_cores = cores;
    return report;
}

inline Lease make_lease(const char* id, const char* pool, const char* list, int pid,
                        const char* command) {
    Lease lease;
    lease.id = id;
    lease.pool = pool;
    lease.cpus = cpus(list);
    lease.status = LeaseStatus::committed;
    lease.grade = Grade::C;
    lease.created = 1000;
    lease.owner.pid = pid;
    lease.owner.command = command;
    return lease;
}

}  // namespace cmk::testing
