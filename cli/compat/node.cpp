// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/node.h"

#include <fcntl.h>

#include "base/file_io.h"
#include "confdir/init_plan.h"
#include "confdir/sysfs_topology.h"

namespace cmk::compat {

Result<Node> read_node(const Call& call) {
    CMK_TRY_ASSIGN(const std::string procfs, call.environment.proc_fs());
    CMK_TRY_ASSIGN(const std::string cmdline, read_file_at(AT_FDCWD, procfs + "/cmdline"));
    Node node;
    CMK_TRY_ASSIGN(node.topology, load_sysfs_topology(call.environment.sysfs_root()));
    const unsigned last = node.topology.records().back().cpu;
    CMK_TRY_ASSIGN(node.isolated, parse_isolcpus_as_original(cmdline, last));
    return node;
}

Result<ProcFs> open_procfs(const Call& call) {
    CMK_TRY_ASSIGN(std::string root, call.environment.proc_fs());
    return ProcFs::open(std::move(root));
}

}  // namespace cmk::compat
