// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "core/pool.h"
#include "core/topology.h"

namespace cmk {

/// Which CPUs each pool gets.
struct PoolPlan {
    std::vector<Pool> pools;            ///< in the order of the specs
    std::vector<std::string> warnings;  ///< full sentences for the operator

    friend bool operator==(const PoolPlan&, const PoolPlan&) = default;
};

/// Divides the machine. Pools with explicit CPUs take theirs first; then counted exclusive pools,
/// counted shared pools, and the rest, each kind in the order of `specs`. Whole cores only.
///
/// `isolated`: CPUs isolated at boot (CPU ids). With any fully isolated core, counted pools draw
/// from those alone and the rest from the others; a partly isolated core counts as not isolated
/// and is warned about. Rules: CMK operator manual, "isolcpus"; a zero count gives an empty pool
/// (as CMK 1.5). A counted pool takes whole cores of its preferred CPUs first, in the same order,
/// and others only when those are used up (as CMK 1.4 did with SST-BF).
///
/// Errors: invalid_argument for specs that contradict themselves (a name twice or unsafe, two
/// "rest" pools, CPUs that are offline, part of a core, or in two pools); not_enough_cpus when
/// cores run out, saying how many were wanted and how many there are. At least one core always
/// stays outside exclusive pools, and a "rest" pool is never empty.
Result<PoolPlan> plan_pools(const Topology& topology, const CpuSet& isolated,
                            const std::vector<PoolSpec>& specs);

/// CPUs named by every `isolcpus=` word of a kernel command line, flags ("nohz", "domain",
/// "managed_irq") skipped, `N` meaning `last_cpu`, `all` every CPU up to it; ids beyond last_cpu
/// are dropped. Source: kernel-parameters.txt, isolcpus=. Errors: invalid_argument.
Result<CpuSet> parse_isolcpus(std::string_view cmdline, unsigned last_cpu);

}  // namespace cmk
