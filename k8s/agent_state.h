// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "core/report.h"

namespace cmk::k8s {

/// All that is published of an agent, as it was at one time.
struct AgentState {
    HostReport host = {};
    std::vector<PoolReport> pools = {};
    std::vector<Lease> leases = {};
};

/// Asks the agent at `socket`, waiting three seconds at most for each of its answers. Errors: those
/// of the calls.
Result<AgentState> read_agent(const std::string& socket);

/// Was the lease given to a pod's container? kubelet puts them all below a group "kubepods",
/// whatever the driver and the runtime.
bool is_pods(const Lease& lease);

}  // namespace cmk::k8s
