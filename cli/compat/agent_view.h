// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "confdir/content.h"
#include "core/topology.h"
#include "ipc/client.h"

namespace cmk::compat {

/// What the agent has, in the shape of the original's directory.
struct AgentView {
    Topology topology;
    CpuSet isolated;           ///< CPU ids isolated at boot
    DirectoryContent content;  ///< leases are the tasks
};

/// Asks the agent for all of it; `path` is shown as the directory's. A container sees its own
/// leases, so lists that others use look free to it. Errors: those of the calls.
Result<AgentView> view_agent(Client& agent, const std::string& path);

}  // namespace cmk::compat
