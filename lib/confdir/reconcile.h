// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "confdir/directory.h"
#include "confdir/procfs.h"

namespace cmk {

/// A task that had ended without giving its CPU list back.
struct ReclaimedTask {
    int pid = 0;
    std::string pool;
    std::string cpus;  ///< the list's name

    friend bool operator==(const ReclaimedTask&, const ReclaimedTask&) = default;
};

/// Takes dead tasks out of all lists: those whose process is not there, or started at another time
/// than the task did. Returns them by process id. Errors: as ConfDir; lists after the one that
/// failed keep their tasks.
Result<std::vector<ReclaimedTask>> reconcile(const ConfDir& directory, const ProcFs& procfs);

/// The same for a caller that holds the lock. `content` is brought up to date.
Result<std::vector<ReclaimedTask>> reclaim_dead_tasks(const ConfDir& directory,
                                                      const ProcFs& procfs,
                                                      DirectoryContent& content);

}  // namespace cmk
