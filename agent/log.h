// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "agent/config.h"

namespace cmk {

/// Fields of a log entry: journal field name ("CMK_POOL") and value. MESSAGE_ID names a kind of
/// entry and goes to the journal only.
using LogFields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// Where the agent says what it does. Structured entries in the journal when stderr is connected
/// to it, else one line "LEVEL message (pool=x lease=y)" on stderr. Only main, the manager and the
/// adapters' tops log; each failure once.
class Log {
public:
    explicit Log(LogLevel level);

    void set_level(LogLevel level) { level_ = level; }
    void error(std::string_view message, LogFields fields = {}) const;
    void warning(std::string_view message, LogFields fields = {}) const;
    void info(std::string_view message, LogFields fields = {}) const;
    void debug(std::string_view message, LogFields fields = {}) const;

private:
    void write(LogLevel level, std::string_view message, LogFields fields) const;
    void write_journal(LogLevel level, std::string_view message, LogFields fields) const;
    void write_stderr(LogLevel level, std::string_view message, LogFields fields) const;

    LogLevel level_;
    bool journal_;
};

}  // namespace cmk
