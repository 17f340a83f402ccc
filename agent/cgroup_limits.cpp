// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup_limits.h"

#include <algorithm>
#include <optional>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

constexpr const char* kFiles[] = {"/memory.max", "/memory.high", "/memory.swap.max", "/pids.max"};

/// The limit in a file; nothing for "max" and where the controller is not in use.
std::optional<std::uint64_t> read_limit(int top, const std::string& path) {
    const auto text = read_file_at(top, path);
    return text ? parse_unsigned(trim(*text)) : std::nullopt;
}

std::optional<std::uint64_t> tightest(int top, std::string path, const char* file) {
    std::optional<std::uint64_t> least;
    while (!path.empty()) {
        const auto limit = read_limit(top, path + file);
        if (limit) least = least ? std::min(*least, *limit) : *limit;
        const std::size_t slash = path.rfind('/');
        path.resize(slash == std::string::npos ? 0 : slash);
    }
    return least;
}

}  // namespace

Status copy_tightest_limits(int top, const std::string& from, const std::string& to) {
    const std::string path(from.substr(std::min(from.size(), from.find_first_not_of('/'))));
    for (const char* file : kFiles) {
        const auto limit = tightest(top, path, file);
        if (limit) CMK_TRY(write_file_at(top, to + file, std::to_string(*limit)));
    }
    return {};
}

}  // namespace cmk
