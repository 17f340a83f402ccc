// SPDX-License-Identifier: Apache-2.0
#include "cli/screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "cli/session.h"
#include "ipc/errors.h"

namespace cmk {

namespace {

// The alternate screen, without the cursor.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

volatile std::sig_atomic_t is_entered = 0;

/// Only what a signal handler may do.
void write_sequence(std::string_view sequence) {
    [[maybe_unused]] const ssize_t written =
        ::write(STDOUT_FILENO, sequence.data(), sequence.size());
}

void enter() {
    write_sequence(kEnter);
    is_entered = 1;
}

void leave() {
    if (is_entered != 0) write_sequence(kLeave);
    is_entered = 0;
}

void on_interrupt(int) {
    leave();
    ::_exit(exit_code::kOk);
}

void on_end(int number) {
    leave();
    std::signal(number, SIG_DFL);
    ::raise(number);  // delivered when this handler returns
}

void on_stop(int) {
    const bool was_entered = is_entered != 0;
    leave();
    ::raise(SIGSTOP);
    if (was_entered) enter();
}

/// Interrupts the wait; that is all.
void on_resize(int) {}

void handle(int number, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
}

/// Delivered during wait() alone, so that none comes between a look and the wait.
sigset_t redraw_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGWINCH);
    ::sigaddset(&set, SIGTSTP);
    return set;
}

std::size_t terminal_rows() {
    winsize size{};
    constexpr std::size_t kUsual = 24;
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return kUsual;
    return size.ws_row;
}

/// Knows no sequences.
bool is_dumb() {
    const char* name = std::getenv("TERM");
    return name == nullptr || std::string_view(name) == "dumb";
}

}  // namespace

Screen::Screen(bool in_place)
    : is_terminal_(in_place && ::isatty(STDOUT_FILENO) == 1 && !is_dumb()) {
    handle(SIGINT, on_interrupt);
    if (!is_terminal_) return;
    for (const int number : {SIGTERM, SIGHUP, SIGQUIT})
        handle(number, on_end);
    handle(SIGTSTP, on_stop);
    handle(SIGWINCH, on_resize);
    const sigset_t set = redraw_signals();
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    enter();
}

Screen::~Screen() {
    leave();
}

int Screen::show(std::string_view text) {
    if (!is_terminal_) {
        const std::string gap = is_first_ ? "" : "\n";
        is_first_ = false;
        return put(gap + std::string(text));
    }
    std::string out(kHome);
    // Overwritten and not cleared first, which would flicker.
    for (const char c : cut_to(text, terminal_rows() - 1)) {
        if (c == '\n') out += kClearLine;
        out += c;
    }
    out += kClearBelow;
    return put(out);
}

void Screen::wait(int fd) const {
    pollfd event{fd, POLLIN, 0};
    sigset_t set;
    ::sigprocmask(SIG_BLOCK, nullptr, &set);
    ::sigdelset(&set, SIGWINCH);
    ::sigdelset(&set, SIGTSTP);
    (void)::ppoll(&event, 1, nullptr, &set);
}

std::string cut_to(std::string_view text, std::size_t rows) {
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    if (lines <= rows || rows == 0) return std::string(text);
    std::size_t end = 0;
    for (std::size_t line = 1; line < rows; ++line)
        end = text.find('\n', end) + 1;
    return std::string(text.substr(0, end)) + "... " + std::to_string(lines - rows + 1) +
           " more lines\n";
}

}  // namespace cmk
