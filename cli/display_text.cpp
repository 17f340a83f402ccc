// SPDX-License-Identifier: Apache-2.0
#include "cli/display_text.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace cmk {

namespace {

struct Range {
    std::uint32_t first;
    std::uint32_t last;
};

/// Invisible, joining or direction-changing, and what is no character at all.
constexpr Range kHidden[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x300, 0x36f},     {0x61c, 0x61c},
    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xd800, 0xdfff},   {0xfe00, 0xfe0f},
    {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0x10ffff}};
/// Two columns wide in a terminal (the large blocks of UAX #11).
constexpr Range kWide[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
                           {0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                           {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};

template <std::size_t Size>
bool is_in(const Range (&ranges)[Size], std::uint32_t point) {
    return std::any_of(std::begin(ranges), std::end(ranges), [&](const Range& range) {
        return point >= range.first && point <= range.last;
    });
}

struct Character {
    std::uint32_t point = 0;
    std::size_t bytes = 0;  ///< 0: not UTF-8
};

Character decode(std::string_view text) {
    constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t bytes = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (bytes == 1) return {first, 1};
    if (first < 0xc0 || first > 0xf7 || bytes > text.size()) return {};
    std::uint32_t point = first & (0xffU >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0) != 0x80) return {};
        point = (point << 6) | (next & 0x3f);
    }
    return point < kSmallest[bytes] ? Character{} : Character{point, bytes};
}

}  // namespace

std::string printable(std::string_view text, bool unicode) {
    std::string out;
    while (!text.empty()) {
        const Character next = decode(text);
        const bool shown =
            next.bytes > 0 && !is_in(kHidden, next.point) && (unicode || next.bytes == 1);
        if (shown) {
            out += text.substr(0, next.bytes);
        } else {
            out += '?';
        }
        text.remove_prefix(std::max<std::size_t>(next.bytes, 1));
    }
    return out;
}

std::string_view head_of(std::string_view text, std::size_t columns) {
    std::size_t at = 0;
    while (at < text.size()) {
        const Character next = decode(text.substr(at));
        const std::size_t width = is_in(kWide, next.point) ? 2 : 1;
        if (width > columns) break;
        columns -= width;
        at += std::max<std::size_t>(next.bytes, 1);
    }
    return text.substr(0, at);
}

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const Character next = decode(text);
        columns += is_in(kWide, next.point) ? 2 : 1;
        text.remove_prefix(std::max<std::size_t>(next.bytes, 1));
    }
    return columns;
}

std::string age_text(std::int64_t seconds) {
    if (seconds < 0) seconds = 0;
    if (seconds < 2 * 60) return std::to_string(seconds) + "s";
    if (seconds < 2 * 3600) return std::to_string(seconds / 60) + "m";
    if (seconds < 2 * 86400) return std::to_string(seconds / 3600) + "h";
    return std::to_string(seconds / 86400) + "d";
}

std::string time_text(std::int64_t seconds_since_epoch) {
    const auto when = static_cast<std::time_t>(seconds_since_epoch);
    std::tm parts{};
    char text[40];
    // UTC, so that no time zone file has to be there.
    if (::gmtime_r(&when, &parts) == nullptr) return std::to_string(seconds_since_epoch);
    const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text, length};
}

}  // namespace cmk
