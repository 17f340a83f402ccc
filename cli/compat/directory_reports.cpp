// SPDX-License-Identifier: Apache-2.0
// What is read from, and tidied in, a directory of the original's format.
#include "cli/compat/node.h"
#include "confdir/checks.h"
#include "confdir/reconcile.h"
#include "confdir/reports.h"

namespace cmk::compat {

namespace {

Result<DirectoryContent> read_locked(const ConfDir& directory) {
    CMK_TRY_ASSIGN(const DirectoryLock lock, directory.lock());
    return directory.read();
}

}  // namespace

Result<int> describe_directory(const Call& call) {
    CMK_TRY_ASSIGN(const ConfDir directory, directory_of(call));
    CMK_TRY_ASSIGN(const DirectoryContent content, read_locked(directory));
    CMK_TRY(print(describe_json(content)));
    return 0;
}

Result<int> reconcile_directory(const Call& call) {
    CMK_TRY_ASSIGN(const ConfDir directory, directory_of(call));
    CMK_TRY_ASSIGN(const ProcFs procfs, open_procfs(call));
    return repeat(call, "reconciliation", [&]() -> Status {
        CMK_TRY_ASSIGN(const auto reclaimed, reconcile(directory, procfs));
        return print(reconcile_json(reclaimed));
    });
}

Result<int> report_directory(const Call& call) {
    CMK_TRY_ASSIGN(const ConfDir directory, directory_of(call));
    return repeat(call, "node report", [&]() -> Status {
        CMK_TRY_ASSIGN(const Node node, read_node(call));
        // Without a lock there is no directory to report on; what is wrong inside is reported.
        CMK_TRY_ASSIGN(const DirectoryLock lock, directory.lock());
        const auto content = directory.read();
        Checks further;
        if (content && call.options().further_checks) {
            CMK_TRY_ASSIGN(const ProcFs procfs, open_procfs(call));
            further =
                further_checks(*content, node.topology, node.isolated, &procfs, Recorded::parent);
        }
        return print(node_report_json(content, node.topology, lscpu_core_ids(node.topology),
                                      node.isolated, further));
    });
}

}  // namespace cmk::compat
