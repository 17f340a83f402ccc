// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/log.h"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace cmk::compat {

namespace {

constexpr std::array<std::string_view, 5> kNames{"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};

}  // namespace

std::string_view name_of(LogLevel level) {
    return kNames[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> log_level_from(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<LogLevel>(i);
    }
    return std::nullopt;
}

void Log::write(LogLevel level, std::string_view message) const {
    if (level < least_) return;
    const std::string line = std::string(name_of(level)) + ":root:" + std::string(message) + "\n";
    std::string_view rest = line;
    while (!rest.empty()) {
        const ssize_t written = ::write(fd_, rest.data(), rest.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return;
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace cmk::compat
