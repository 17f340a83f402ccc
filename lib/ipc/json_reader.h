// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/cpu_set.h"

namespace cmk {

/// Reads one JSON object strictly. The first thing that is wrong is kept in `error()`; reads after
/// it return empty values, so a caller reads all fields and checks once.
class JsonReader {
public:
    explicit JsonReader(const nlohmann::json& object);

    std::string text(const char* key);
    std::uint64_t number(const char* key, std::uint64_t max);
    bool flag(const char* key);
    CpuSet cpus(const char* key);
    std::vector<std::string> texts(const char* key);
    /// The member itself (an object or array), or nullptr.
    const nlohmann::json* member(const char* key);

    /// True when the key is there and not null; absent ones are then skipped by the caller.
    bool has(const char* key) const;
    /// Refuses keys that are not in the list.
    void allow_only(std::initializer_list<const char*> keys);
    void fail(const std::string& key, const std::string& why);

    bool ok() const { return !error_; }
    /// "key: why"; Errc::invalid_argument.
    Error error() const { return *error_; }
    /// The member the error is about.
    const std::string& bad_key() const { return bad_key_; }

private:
    const nlohmann::json* typed(const char* key, bool (*has_type)(const nlohmann::json&),
                                const char* type);

    const nlohmann::json& object_;
    std::optional<Error> error_;
    std::string bad_key_;
};

/// Parses a bounded text into an object. Errors: invalid_argument with the byte position, also for
/// one that nests deeper than any message of ours.
Result<nlohmann::json> parse_object(std::string_view text);
/// One line; bytes that are not UTF-8 are replaced.
std::string dump_line(const nlohmann::json& value);

}  // namespace cmk
