// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/result.h"
#include "confdir/directory.h"
#include "confdir/layout.h"
#include "core/topology.h"

namespace cmk {

enum class InitOutcome {
    created,  ///< the directory has been filled
    existed,  ///< it was there and has what is asked for
};

/// How many cores an existing directory is expected to have.
struct InitCounts {
    unsigned exclusive = 0;
    unsigned shared = 0;
};

/// Compares the pools exclusive (in lists, one a core) and shared (in cores, however many lists
/// they are in) with what is asked for. Empty where they agree; otherwise the original's texts,
/// "<n> exclusive cores (<m> requested)". Errors: conflict for what a failed init has left
/// half-built.
Result<std::vector<std::string>> count_differences(const DirectoryContent& content,
                                                   const Topology& topology,
                                                   const InitCounts& requested);

/// Makes the configuration directory, or sees that it is there already. It appears whole: built
/// aside and renamed. Inside a directory that exists and is empty, which may be a mount point,
/// `pools` does. What an `init` that failed has left, a lock and an empty `pools`, is completed. A
/// failure leaves what was there; of several at once one makes the directory.
/// Errors: conflict, with the texts of count_differences() a line each, or for a directory with
/// other things in it; as ConfDir.
Result<InitOutcome> init_directory(const ConfDir& directory, const std::vector<PoolLayout>& layout,
                                   const Topology& topology, const InitCounts& requested);

/// Whether there are pools already, for a caller that plans only where there is something to make.
/// Errors: as init_directory().
Result<bool> has_pools(const ConfDir& directory);

/// The comparison alone, of a directory that has pools. Errors: as init_directory().
Status check_existing(const ConfDir& directory, const Topology& topology,
                      const InitCounts& requested);

}  // namespace cmk
