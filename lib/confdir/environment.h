// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "confdir/content.h"

namespace cmk {

/// CMK_CPUS_ASSIGNED: the CPUs of the lists in numeric order of the lists, "0,12,1,13". Names with
/// ranges are written out, since programs expect single ids.
std::string assigned_cpus(const std::vector<const CpuList*>& lists);

/// CMK_CPUS_ASSIGNED_MASK: upper-case hexadecimal without "0x", "C00000000C".
std::string assigned_mask(const std::vector<const CpuList*>& lists);

/// CMK_CPUS_INFRA and CMK_CPUS_SHARED: all CPUs of the pool, in the order of its lists as text;
/// nothing where there is no such pool.
std::optional<std::string> pool_cpus(const DirectoryContent& content, std::string_view pool);

}  // namespace cmk
