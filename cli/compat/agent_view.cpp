// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/agent_view.h"

#include "confdir/leased_content.h"

namespace cmk::compat {

Result<AgentView> view_agent(Client& agent, const std::string& path) {
    CMK_TRY_ASSIGN(HostReport host, agent.call<HostReport>(wire::GetTopology{}));
    CMK_TRY_ASSIGN(const auto pools, agent.call<std::vector<PoolReport>>(wire::ListPools{}));
    CMK_TRY_ASSIGN(const auto leases, agent.call<std::vector<Lease>>(wire::ListLeases{}));
    AgentView view{.topology = std::move(host.topology), .isolated = host.isolated};
    view.content = content_of(path, view.topology, pools, leases);
    return view;
}

}  // namespace cmk::compat
