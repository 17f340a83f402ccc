// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "confdir/content.h"

namespace cmk {

/// What `isolate` asks for.
struct ListRequest {
    std::string pool;
    unsigned count = 1;  ///< lists of an exclusive pool (CMK_NUM_CORES); other pools give one
    std::string socket = "-1";  ///< "-1" or "" for any; matched as number or as text
};

/// The lists to take: of an exclusive pool the first `count` free ones, of any other pool the one
/// with the fewest tasks. Numeric order both times; the pointers are into `content`. A list is free
/// without tasks and while no exclusive list in use has a CPU of it. The socket counts for the
/// pools exclusive, shared and exclusive-non-isolcpus alone.
/// Errors, with the original's texts and what there is: unknown_pool; not_enough_cpus;
/// invalid_argument for a count of 0 or a socket that the pool does not have.
Result<std::vector<const CpuList*>> select_lists(const DirectoryContent& content,
                                                 const ListRequest& request);

}  // namespace cmk
