// SPDX-License-Identifier: Apache-2.0
#include "cli/style.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "base/text.h"

namespace cmk {

namespace {

constexpr unsigned kMinWidth = 40;
constexpr unsigned kMaxWidth = 1000;
constexpr std::array<std::pair<std::string_view, OutputFormat>, 4> kFormats{
    {{"table", OutputFormat::table},
     {"wide", OutputFormat::wide},
     {"json", OutputFormat::json},
     {"yaml", OutputFormat::yaml}}};

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

/// The first of these that is set decides, as in setlocale(3).
bool has_utf8_locale() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string_view locale = environment(name);
        if (locale.empty()) continue;
        const std::size_t dot = locale.find('.');
        std::string charset(dot == std::string_view::npos ? "" : locale.substr(dot + 1, 5));
        for (char& c : charset)
            c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        return charset == "utf-8" || charset.compare(0, 4, "utf8") == 0;
    }
    return false;
}

unsigned terminal_width() {
    winsize size{};
    unsigned width = 80;
    if (const auto columns = parse_unsigned(environment("COLUMNS"), kMaxWidth)) {
        width = static_cast<unsigned>(*columns);
    } else if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        width = size.ws_col;
    }
    return std::clamp(width, kMinWidth, kMaxWidth);
}

}  // namespace

std::optional<OutputFormat> output_format_from(std::string_view text) {
    for (const auto& [name, format] : kFormats) {
        if (name == text) return format;
    }
    return std::nullopt;
}

std::vector<std::string> output_formats() {
    std::vector<std::string> names;
    for (const auto& [name, format] : kFormats)
        names.emplace_back(name);
    return names;
}

OutputStyle detect_style(OutputFormat format) {
    OutputStyle style;
    style.format = format;
    style.color = ::isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR").empty() &&
                  environment("TERM") != "dumb";
    style.unicode = has_utf8_locale();
    style.width = terminal_width();
    style.now = static_cast<std::int64_t>(std::time(nullptr));
    return style;
}

}  // namespace cmk
