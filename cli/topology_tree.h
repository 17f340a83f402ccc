// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/topology.h"

namespace cmk {

/// What matters here of the objects that hwloc knows.
enum class ObjectType { other, package, numa, memory_cache, data_cache, core, pu };

/// The type of hwloc's name for it ("Package", "l3", "L3Cache", "NUMANode"), in any case.
ObjectType object_type_from(std::string_view name);

/// One object of a machine's description.
struct TreeObject {
    static constexpr std::size_t kNoParent = SIZE_MAX;

    ObjectType type = ObjectType::other;
    unsigned os_index = 0;
    unsigned cache_level = 0;  ///< 1 to 5 of a data cache
    std::size_t parent = kNoParent;
};

/// The machine that is a tree of objects, parents before their children. Cores and caches are
/// numbered in this order, as hwloc does. Errors: those of Topology::from_records().
Result<Topology> topology_of(const std::vector<TreeObject>& objects);

}  // namespace cmk
