// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/cgroups.h"
#include "base/result.h"
#include "core/cpu_set.h"
#include "core/partition.h"

namespace cmk {

/// What a cpuset.cpus.partition file says: "root", "isolated invalid (why)".
struct PartitionState {
    PartitionType type = PartitionType::member;
    bool valid = true;
    std::string text = "member";
};

/// Reads the first word and whether " invalid" follows; the reason is for people only, as kernels
/// often leave it out.
PartitionState parse_partition(std::string_view text);

// Paths are below `top`, an open cgroup v2 mount point.

Result<PartitionState> read_partition(int top, const std::string& path);

/// Sets the type and reads back: the kernel takes every write, and says "invalid" afterwards. A
/// partition that is invalid is made a member first, as some kernels do not recover otherwise.
/// Errors: io; conflict with the kernel's words.
Status write_partition(int top, const std::string& path, PartitionType type);

/// Fills in what the partition file of `path` says; leaves a member where there is none.
void read_partition_into(int top, const std::string& path, PoolState& state);

/// Judges whether the partition at `path` keeps everybody else off `found.effective`.
Status judge_exclusive(int top, const std::string& path, Confinement& found);

/// What each group of the chain may hand to partitions below it: grows from the top, shrinks from
/// the leaf, as a live leaf must never lose its ancestors'. Errors: io.
Status set_exclusive(int top, const std::vector<std::string>& chain, const CpuSet& cpus);

/// Adds CPUs to what the groups of the chain may hand down, from the top; takes them away again
/// from the leaf, where groups that have gone are no error. Others in those groups keep theirs.
Status add_exclusive(int top, const std::vector<std::string>& chain, const CpuSet& cpus);
Status drop_exclusive(int top, const std::vector<std::string>& chain, const CpuSet& cpus);

/// "a", "a/b", "a/b/c" of "a/b/c".
std::vector<std::string> chain_to(const std::string& path);

/// CPUs of a list file of the group; none when it cannot be read.
CpuSet read_cpus(int top, const std::string& path, const std::string& file);

}  // namespace cmk
