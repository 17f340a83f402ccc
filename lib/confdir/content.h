// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cpu_set.h"

namespace cmk {

/// A process that uses a CPU list.
struct Task {
    int pid = 0;
    /// Clock ticks since boot (/proc/PID/stat field 22); none where the original wrote the entry.
    std::optional<std::uint64_t> start_time = {};

    friend bool operator==(const Task&, const Task&) = default;
};

/// One CPU list of a pool, `pools/<pool>/<socket>/<name>`.
struct CpuList {
    std::string pool;
    std::string socket;
    std::string name;
    std::vector<unsigned> cpus;  ///< in the order of the name
    std::vector<Task> tasks;     ///< in the order of the file

    CpuSet set() const;
    /// pools/<pool>/<socket>/<name>, below the configuration directory.
    std::string path() const;

    friend bool operator==(const CpuList&, const CpuList&) = default;
};

/// One pool on disk.
struct ListedPool {
    std::string name;
    bool exclusive = false;
    std::vector<std::string> sockets;  ///< sorted as text
    std::vector<CpuList> lists;        ///< sorted as text by socket, then by name

    friend bool operator==(const ListedPool&, const ListedPool&) = default;
};

/// A configuration directory as it was at one time.
struct DirectoryContent {
    std::string path;               ///< normalised, as given: not made absolute
    std::vector<ListedPool> pools;  ///< sorted as text

    const ListedPool* find(std::string_view pool) const;
    /// All lists, in the order in which the original iterates.
    std::vector<const CpuList*> lists() const;

    friend bool operator==(const DirectoryContent&, const DirectoryContent&) = default;
};

/// The lists by their first CPU, then as text.
std::vector<const CpuList*> in_numeric_order(std::vector<const CpuList*> lists);
std::vector<const CpuList*> in_numeric_order(const ListedPool& pool);

/// A path without repeated '/', "." and "..", as Python's os.path.normpath makes it.
std::string normalised_path(std::string_view path);

}  // namespace cmk
