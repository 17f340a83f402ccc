// SPDX-License-Identifier: Apache-2.0
// What is read from, and tidied in, a directory of the original's format.
#include <time.h>

#include "cli/compat/node.h"
#include "confdir/reconcile.h"
#include "confdir/reports.h"

namespace cmk::compat {

namespace {

/// Once, or with an interval until the process is ended.
template <typename Once>
Result<int> repeat(const Call& call, const char* what, const Once& once) {
    CMK_TRY_ASSIGN(const long seconds, call.options().interval_seconds());
    for (;;) {
        CMK_TRY(once());
        if (seconds <= 0) return 0;
        call.log.info("Waiting " + std::to_string(seconds) + " seconds until next " + what + "...");
        timespec rest{.tv_sec = seconds, .tv_nsec = 0};
        while (::clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) != 0) {
        }
    }
}

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
        return print(node_report_json(directory.read(), node.topology,
                                      lscpu_core_ids(node.topology), node.isolated));
    });
}

}  // namespace cmk::compat
