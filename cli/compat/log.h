// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cmk::compat {

/// Rising in importance.
enum class LogLevel { debug, info, warning, error, critical };

/// "INFO"; in capitals, as CMK_LOG_LEVEL and log lines have it.
std::string_view name_of(LogLevel level);

/// The level of exactly that name.
std::optional<LogLevel> log_level_from(std::string_view name);

/// The original's log: "LEVEL:root:message" to standard error.
class Log {
public:
    /// Lines below `least` are dropped; `fd` stays the caller's.
    explicit Log(LogLevel least = LogLevel::info, int fd = 2) : least_(least), fd_(fd) {}

    void debug(std::string_view message) const { write(LogLevel::debug, message); }
    void info(std::string_view message) const { write(LogLevel::info, message); }
    void warning(std::string_view message) const { write(LogLevel::warning, message); }
    void error(std::string_view message) const { write(LogLevel::error, message); }
    void critical(std::string_view message) const { write(LogLevel::critical, message); }

    /// One write(2) a line, so that lines of several processes do not mix. A log that cannot be
    /// written is no reason to fail.
    void write(LogLevel level, std::string_view message) const;

private:
    LogLevel least_;
    int fd_;
};

}  // namespace cmk::compat
