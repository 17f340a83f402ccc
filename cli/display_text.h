// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cmk {

/// `text` safe to print: control characters, bytes that are not UTF-8, and invisible or
/// direction-changing characters become '?'; without `unicode`, everything beyond ASCII does.
std::string printable(std::string_view text, bool unicode);

/// Terminal columns that printable text takes.
std::size_t columns_of(std::string_view text);

/// Its first characters, as many as fit into `columns`.
std::string_view head_of(std::string_view text, std::size_t columns);

/// "12s", "5m", "3h", "9d": the largest whole unit.
std::string age_text(std::int64_t seconds);

/// "2024-05-01T12:00:00Z".
std::string time_text(std::int64_t seconds_since_epoch);

}  // namespace cmk
