// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/partition_files.h"

namespace cmk {

/// A partition found anywhere in the hierarchy.
struct FoundPartition {
    std::string path;  ///< below the mount point
    PartitionState state;
    CpuSet effective;
};

/// Every partition of the machine, valid or not. Walks the whole tree: for start, audits and
/// explaining a failure, never for a request that succeeds.
std::vector<FoundPartition> list_partitions(int top);

/// Every group that may hand some of these CPUs to partitions below it (cpuset.cpus.exclusive),
/// parents first. Walks the whole tree.
std::vector<std::string> list_exclusive(int top, const CpuSet& cpus);

/// " by /foreign.slice (root, CPUs 4-5)" for each partition outside of `own` that has or wants some
/// of `cpus`; "" where there is none.
std::string name_rivals(int top, const std::string& own, const CpuSet& cpus);

/// The same for groups beside `own`, with the same parent, whose cpuset.cpus overlap: they keep a
/// partition from coming into force.
std::string name_siblings(int top, const std::string& own, const CpuSet& cpus);

/// Online CPUs that are neither everybody's nor a valid partition's.
CpuSet find_lost(int top, const CpuSet& online);

/// Gives lost CPUs back to everybody, by a partition that is made and unmade. Errors: io, conflict.
Status return_to_everybody(int top, const CpuSet& cpus);

}  // namespace cmk
