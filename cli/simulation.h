// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/machine.h"
#include "core/allocator.h"

namespace cmk {

/// A machine that need not be there, and what shall be done with it.
struct SimulationRequest {
    Topology topology;
    CpuSet isolated = {};  ///< CPUs isolated at boot
    std::vector<PoolSpec> pools = {};
    std::vector<AllocationRequest> leases = {};  ///< one after the other
};

/// What would come out. Leases have the numbers of their requests as ids.
struct Simulation {
    Machine machine;
    std::vector<std::string> warnings = {};
    std::vector<std::string> refusals = {};
};

/// Plans the pools and allocates the leases as the agent would. Errors: the pools cannot be made.
Result<Simulation> simulate(const SimulationRequest& request);

/// "NAME:KIND:SIZE[:MODE]": SIZE a count of cores, "rest", or a list of CPUs ("2-5" or "2,4"; one
/// CPU is "2-2"). Errors: invalid_argument.
Result<PoolSpec> parse_pool(const std::string& text);

/// "POOL:CORES" or "POOL:CORES:SOCKET"; "POOL" for one core. Errors: invalid_argument.
Result<AllocationRequest> parse_lease(const std::string& text);

}  // namespace cmk
