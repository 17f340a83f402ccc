// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace cmk {

/// Standard output as something to draw on again and again. On a terminal the whole screen, which
/// is given back as it was when this ends, when a signal ends the process, and while it is stopped;
/// elsewhere a stream to which each picture is added. SIGINT ends the process with status 0. One at
/// a time.
class Screen {
public:
    /// `in_place`: false for a stream in any case.
    explicit Screen(bool in_place);
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    /// Shows `text` in place of what was shown; lines that the terminal has no room for are left
    /// out, and it says so. Returns an exit code, as put() does.
    int show(std::string_view text);

    /// Waits until `fd` is readable, or the screen has to be drawn again because its size changed
    /// or the process goes on after a stop.
    void wait(int fd) const;

private:
    bool is_terminal_;
    bool is_first_ = true;
};

/// The first `rows` lines, the last of them a remark in place of those that are left out.
std::string cut_to(std::string_view text, std::size_t rows);

}  // namespace cmk
