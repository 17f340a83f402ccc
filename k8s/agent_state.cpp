// SPDX-License-Identifier: Apache-2.0
#include "k8s/agent_state.h"

#include <sys/socket.h>
#include <sys/time.h>

#include "ipc/client.h"

namespace cmk::k8s {

namespace {

constexpr timeval kPatience{3, 0};

}  // namespace

Result<AgentState> read_agent(const std::string& socket) {
    CMK_TRY_ASSIGN(Client agent, Client::connect(socket));
    ::setsockopt(agent.fd(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    AgentState state;
    CMK_TRY_ASSIGN(state.host, agent.call<HostReport>(wire::GetTopology{}));
    CMK_TRY_ASSIGN(state.pools, agent.call<std::vector<PoolReport>>(wire::ListPools{}));
    CMK_TRY_ASSIGN(state.leases, agent.call<std::vector<Lease>>(wire::ListLeases{}));
    return state;
}

bool is_pods(const Lease& lease) {
    return lease.owner.container && lease.owner.cgroup.find("kubepods") != std::string::npos;
}

}  // namespace cmk::k8s
