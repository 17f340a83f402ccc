// SPDX-License-Identifier: Apache-2.0
#include "agent/log.h"

#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <vector>

namespace cmk {

namespace {

/// $JOURNAL_STREAM names the device and inode of the stream that systemd connected to stderr.
bool stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat info {};
    if (stream == nullptr || ::fstat(STDERR_FILENO, &info) < 0) return false;
    return stream == std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
}

std::string_view level_name(LogLevel level) {
    switch (level) {
        case LogLevel::error: return "ERROR";
        case LogLevel::warning: return "WARNING";
        case LogLevel::info: return "INFO";
        case LogLevel::debug: return "DEBUG";
    }
    return "?";
}

/// syslog(3) priorities.
char priority(LogLevel level) {
    switch (level) {
        case LogLevel::error: return '3';
        case LogLevel::warning: return '4';
        case LogLevel::info: return '6';
        case LogLevel::debug: return '7';
    }
    return '6';
}

/// "CMK_POOL" as people read it: "pool".
std::string short_name(std::string_view field) {
    if (field.starts_with("CMK_")) field.remove_prefix(4);
    std::string name(field);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name;
}

/// One line, whatever a process called itself.
std::string printable(std::string_view text) {
    std::string line(text);
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
    return line;
}

}  // namespace

Log::Log(LogLevel level) : level_(level), journal_(stderr_is_journal()) {}

void Log::error(std::string_view message, LogFields fields) const {
    write(LogLevel::error, message, fields);
}
void Log::warning(std::string_view message, LogFields fields) const {
    write(LogLevel::warning, message, fields);
}
void Log::info(std::string_view message, LogFields fields) const {
    write(LogLevel::info, message, fields);
}
void Log::debug(std::string_view message, LogFields fields) const {
    write(LogLevel::debug, message, fields);
}

void Log::write(LogLevel level, std::string_view message, LogFields fields) const {
    if (level > level_) return;
    journal_ ? write_journal(level, message, fields) : write_stderr(level, message, fields);
}

void Log::write_journal(LogLevel level, std::string_view message, LogFields fields) const {
    std::vector<std::string> entries{"MESSAGE=" + std::string(message),
                                     std::string("PRIORITY=") + priority(level)};
    for (const auto& [name, value] : fields) {
        entries.push_back(std::string(name) + "=" + std::string(value));
    }
    std::vector<iovec> parts;
    for (std::string& entry : entries)
        parts.push_back({entry.data(), entry.size()});
    ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

void Log::write_stderr(LogLevel level, std::string_view message, LogFields fields) const {
    std::string line = std::string(level_name(level)) + " " + std::string(message);
    bool has_fields = false;
    for (const auto& [name, value] : fields) {
        if (name == "MESSAGE_ID") continue;
        line += (has_fields ? " " : " (") + short_name(name) + "=" + std::string(value);
        has_fields = true;
    }
    line = printable(line) + (has_fields ? ")\n" : "\n");
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace cmk
