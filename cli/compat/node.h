// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/compat/commands.h"
#include "confdir/procfs.h"
#include "core/topology.h"

namespace cmk::compat {

/// The machine as the original sees it.
struct Node {
    Topology topology;
    CpuSet isolated;  ///< CPU ids of isolcpus=
};

/// Reads the topology (CMK_DEV_LSCPU_SYSFS) and isolcpus= (CMK_PROC_FS/cmdline). Errors: io,
/// invalid_argument, naming the file or variable.
Result<Node> read_node(const Call& call);

/// The procfs that CMK_PROC_FS names. Errors: invalid_argument, unavailable.
Result<ProcFs> open_procfs(const Call& call);

}  // namespace cmk::compat
