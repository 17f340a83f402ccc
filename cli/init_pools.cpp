// SPDX-License-Identifier: Apache-2.0
#include "cli/init_pools.h"

namespace cmk {

std::vector<PoolSpec> init_pools(const InitPools& wanted) {
    std::vector<PoolSpec> specs;
    specs.push_back({.name = kExclusivePool,
                     .kind = PoolKind::exclusive,
                     .size = wanted.exclusive_cores,
                     .mode = wanted.exclusive_mode});
    specs.push_back({.name = kSharedPool, .size = wanted.shared_cores, .mode = wanted.shared_mode});
    specs.push_back({.name = kInfraPool});
    return specs;
}

std::vector<std::string> pool_modes() {
    return {std::string(to_text(PoolMode::packed)), std::string(to_text(PoolMode::spread))};
}

}  // namespace cmk
