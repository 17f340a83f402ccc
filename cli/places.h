// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/topology.h"

namespace cmk {

/// Where CPUs lie, one text for each last-level cache that has some of them, in the order of
/// sockets: "CPUs 0-1,8-9 of socket 0, NUMA node 0, LLC 0".
std::vector<std::string> places_of(const Topology& topology, const CpuSet& cpus);

/// On how many NUMA nodes they are.
unsigned count_nodes(const Topology& topology, const CpuSet& cpus);

}  // namespace cmk
