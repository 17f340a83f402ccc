// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/result.h"
#include "confdir/directory.h"
#include "confdir/procfs.h"
#include "confdir/reconcile.h"

namespace cmk {

/// Removes pools and lock, as `uninstall` does; the directory itself stays, since it can be a mount
/// point. Dead tasks are reclaimed and returned. Where nothing is left to remove that is no error.
/// Errors: conflict while tasks live, naming them: then nothing is removed; io.
Result<std::vector<ReclaimedTask>> remove_pools(const ConfDir& directory, const ProcFs& procfs);

}  // namespace cmk
