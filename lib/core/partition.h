// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace cmk {

/// What a pool's group is to the kernel: `cpuset.cpus.partition` says "member", "root" or
/// "isolated". Source: kernel Documentation/admin-guide/cgroup-v2.rst, "Cpuset".
enum class PartitionType {
    member,    ///< a plain cpuset: others may run on its CPUs
    root,      ///< its CPUs are taken from everybody else
    isolated,  ///< the same, and the scheduler does not balance load between its CPUs
};

std::string_view to_text(PartitionType type);
std::optional<PartitionType> partition_type_from(std::string_view text);

}  // namespace cmk
