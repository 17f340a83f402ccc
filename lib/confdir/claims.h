// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/result.h"
#include "confdir/directory.h"
#include "confdir/selection.h"

namespace cmk {

/// What a process has been given.
struct Claim {
    std::vector<CpuList> lists;  ///< in numeric order, with the claiming process among the tasks
    DirectoryContent content;    ///< the directory as it was just before
};

/// Selects lists and records the process in each, in one critical section: of two that ask for the
/// last list one gets it. Errors: as select_lists() and ConfDir; nothing is recorded then.
Result<Claim> claim_lists(const ConfDir& directory, const ListRequest& request, const Task& task);

/// Takes one entry of the process out of each list, in one critical section; lists that no longer
/// have it, or that are gone, are left alone. Errors: as ConfDir; as many lists as possible are
/// released nevertheless.
Status release_lists(const ConfDir& directory, const std::vector<CpuList>& lists, const Task& task);

}  // namespace cmk
