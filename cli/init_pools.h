// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/pool.h"

namespace cmk {

inline constexpr unsigned kInitExclusiveCores = 4;
inline constexpr unsigned kInitSharedCores = 1;

/// How `init` divides a machine.
struct InitPools {
    unsigned exclusive_cores = kInitExclusiveCores;
    unsigned shared_cores = kInitSharedCores;
    PoolMode exclusive_mode = PoolMode::packed;
    PoolMode shared_mode = PoolMode::packed;
};

/// The pools exclusive, shared and infra, which gets all cores that are left.
std::vector<PoolSpec> init_pools(const InitPools& wanted);

/// What --exclusive-mode and --shared-mode take.
std::vector<std::string> pool_modes();

}  // namespace cmk
