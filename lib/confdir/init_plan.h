// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "confdir/core_ids.h"
#include "core/pool_planner.h"

namespace cmk {

inline constexpr char kNonIsolcpusPool[] = "exclusive-non-isolcpus";

/// What `init` is asked for; the defaults are the original's.
struct InitRequest {
    unsigned exclusive_cores = 4;
    unsigned shared_cores = 1;
    PoolMode exclusive_mode = PoolMode::packed;
    PoolMode shared_mode = PoolMode::packed;
    std::string excl_non_isolcpus = "-1";  ///< core ids and ranges; "-1" for none
};

/// Divides the machine into the pools exclusive, shared and infra and, with excl_non_isolcpus on a
/// machine with isolated cores, exclusive-non-isolcpus before infra. That one takes core ids, on
/// every socket that has a core of that id. The rules are those of plan_pools() and of CMK 1.4.1;
/// errors and warnings have the original's texts, since scripts look for them.
///
/// `isolated`: CPU ids isolated at boot. `core_ids`: lscpu_core_ids(), or what lscpu printed.
/// Errors: invalid_argument for excl_non_isolcpus, not_enough_cpus where cores run out.
Result<PoolPlan> plan_init(const Topology& topology, const CoreIds& core_ids,
                           const CpuSet& isolated, const InitRequest& request);

/// parse_isolcpus(), but words with a second '=' and pieces of three numbers ("0-1-2") are skipped,
/// as the original does and as the kernel, which refuses them, isolates nothing for them.
Result<CpuSet> parse_isolcpus_as_original(std::string_view cmdline, unsigned last_cpu);

}  // namespace cmk
