// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cmk {

/// The whole of `text` as an unsigned decimal number up to `max`; nothing else around it.
std::optional<std::uint64_t> parse_unsigned(std::string_view text, std::uint64_t max = UINT64_MAX);

/// `text` without blanks and line ends at either side.
std::string_view trim(std::string_view text);

/// The pieces between `separator`s, empty ones included; one piece for a text without any.
std::vector<std::string_view> split(std::string_view text, char separator);

std::string join(const std::vector<std::string>& pieces, std::string_view separator);

/// "1 core", "2 cores": the count with the noun in its form.
std::string counted(std::uint64_t count, std::string_view singular, std::string_view plural);

/// Quoted for a message, with control bytes as \xNN and cut after 80 bytes: what a caller sent
/// must not be able to write its own log lines.
std::string quote(std::string_view text);

/// A name that may become one path component: 1-64 of [A-Za-z0-9_.-], not starting with '.' or '-'.
bool is_safe_name(std::string_view name);

/// 64-bit FNV-1a (Fowler, Noll, Vo): finds damage, is no protection against forgery.
std::uint64_t fnv1a(std::string_view bytes);

}  // namespace cmk
