// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "cli/session.h"

namespace cmk {

/// All that the agent tells about the machine.
struct Machine {
    HostReport host;
    std::vector<PoolReport> pools;
    std::vector<Lease> leases;
};

/// Three calls over one connection.
Result<Machine> ask_machine(const CommonOptions& common);

}  // namespace cmk
