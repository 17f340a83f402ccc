// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/cpu_set.h"
#include "core/topology.h"

namespace cmk {

/// Chooses `count` of the `free` cores: from the fewest NUMA nodes, then from the fewest last-level
/// caches; of equal choices the one with the lowest node, then cache, then core (each ordered by
/// its lowest free CPU). `count` is at least 1 and at most free.size().
///
/// Both numbers are the least possible.
CpuSet choose_cores(const std::vector<const Core*>& free, unsigned count);

}  // namespace cmk
