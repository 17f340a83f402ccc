// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "core/ledger.h"
#include "core/topology.h"

namespace cmk {

/// What a caller asks for.
struct AllocationRequest {
    std::string pool;
    unsigned cores = 1;                    ///< physical cores; shared pools ignore it
    std::optional<unsigned> package = {};  ///< only cores of this package (--socket-id)
    CpuSet offline = {};                   ///< cores with one of these are not given away
    /// Nor are cores with one of these, which cannot have the grade that the pool requires.
    CpuSet noisy = {};
};

/// Chooses CPUs. Exclusive pools: `cores` whole free cores from the fewest NUMA nodes, then the
/// fewest last-level caches, then the lowest ids. Shared pools: all of the pool's CPUs (those of
/// the package, if one is named).
///
/// Errors: unknown_pool, naming the pools there are; invalid_argument for a count of 0 or above
/// kMaxCpus or a package the machine lacks; not_enough_cpus, saying how many cores are free and
/// where.
Result<CpuSet> allocate(const Topology& topology, const Ledger& ledger,
                        const AllocationRequest& request);

}  // namespace cmk
