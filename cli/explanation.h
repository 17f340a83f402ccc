// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/machine.h"
#include "core/allocator.h"

namespace cmk {

/// What would come of a request, and why.
struct Explanation {
    AllocationRequest request;
    CpuSet cpus = {};                      ///< what it would get; none when it would be refused
    std::vector<std::string> places = {};  ///< where these are
    std::optional<Error> refusal = {};
    std::vector<Lease> holders = {};  ///< leases of the pool that the caller sees
    unsigned hidden_cores = 0;  ///< cores of the pool under leases that the caller does not see
    std::vector<std::string> notes = {};         ///< full sentences
    std::vector<std::string> alternatives = {};  ///< what would fit instead
};

/// The ledger as far as the caller sees it: cores that are leased by a lease that he may not see
/// are in a lease without owner, kHiddenLease with the pool's name. Errors: what the agent told
/// contradicts itself.
Result<Ledger> rebuild_ledger(const Machine& machine);

inline constexpr char kHiddenLease[] = "a lease you may not see in ";

/// Asks the allocator what it would do. Errors: those of rebuild_ledger(); a refusal is none.
Result<Explanation> explain(const Machine& machine, const AllocationRequest& request);

}  // namespace cmk
