// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/topology.h"

namespace cmk {

/// Core ids as lscpu -p prints them, by Core::index. They need not be unique: some machines count
/// anew on each socket.
using CoreIds = std::vector<unsigned>;

/// The numbers that lscpu gives: 0, 1, 2 in the order of each core's lowest CPU.
CoreIds lscpu_core_ids(const Topology& topology);

}  // namespace cmk
