// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/pool_planner.h"
#include "core/topology.h"

namespace cmk {

/// The directories of one pool: names of CPU lists by socket. Every socket of the machine is there,
/// without a list where it has no core of the pool.
struct PoolLayout {
    std::string name;
    bool exclusive = false;
    std::map<unsigned, std::vector<std::string>> sockets;

    friend bool operator==(const PoolLayout&, const PoolLayout&) = default;
};

/// What a configuration directory has to contain, in the order of the plan's pools. An exclusive
/// pool has one list a core, any other one list a socket (more where a name would be too long),
/// cores in the topology's order.
std::vector<PoolLayout> make_layout(const PoolPlan& plan, const Topology& topology);

}  // namespace cmk
