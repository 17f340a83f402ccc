// SPDX-License-Identifier: Apache-2.0
#include "cli/machine.h"

namespace cmk {

Result<Machine> ask_machine(const CommonOptions& common) {
    CMK_TRY_ASSIGN(Client client, connect(common));
    Machine machine;
    CMK_TRY_ASSIGN(machine.host, client.call<HostReport>(wire::GetTopology{}));
    CMK_TRY_ASSIGN(machine.pools, client.call<std::vector<PoolReport>>(wire::ListPools{}));
    CMK_TRY_ASSIGN(machine.leases, client.call<std::vector<Lease>>(wire::ListLeases{}));
    return machine;
}

}  // namespace cmk
