// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/signals.h"

#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace cmk::compat {

BlockedSignals::BlockedSignals() {
    ::sigfillset(&blocked_);
    // What our own faults raise ends us whether blocked or not, and shows better unblocked.
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS})
        ::sigdelset(&blocked_, fault);
    // Inherited as ignored, it would make the kernel reap our child and lose its status.
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &standard, &original_sigchld_);
    ::sigprocmask(SIG_BLOCK, &blocked_, &original_);
}

BlockedSignals::~BlockedSignals() {
    while (poll()) {
    }
    restore();
}

void BlockedSignals::restore() const {
    ::sigaction(SIGCHLD, &original_sigchld_, nullptr);
    ::sigprocmask(SIG_SETMASK, &original_, nullptr);
}

siginfo_t BlockedSignals::wait() const {
    siginfo_t info{};
    while (::sigwaitinfo(&blocked_, &info) < 0) {
        // EINTR: stopped and continued meanwhile.
    }
    return info;
}

std::optional<siginfo_t> BlockedSignals::poll() const {
    siginfo_t info{};
    const timespec none{};
    while (::sigtimedwait(&blocked_, &info, &none) < 0) {
        if (errno != EINTR) return std::nullopt;
    }
    return info;
}

int BlockedSignals::stop_request() {
    sigset_t waiting;
    ::sigpending(&waiting);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) {
        if (::sigismember(&waiting, number) == 1) return number;
    }
    return 0;
}

bool has_reached_group(const siginfo_t& info) {
    // Positive codes are the kernel's, those of processes are not.
    if (info.si_code <= 0) return false;
    switch (info.si_signo) {
        case SIGINT:
        case SIGQUIT:
        case SIGTSTP:
        case SIGTTIN:
        case SIGTTOU:
        case SIGWINCH: return true;
        // A terminal that goes away tells the leader of its session alone.
        case SIGHUP:
        case SIGCONT: return ::getsid(0) != ::getpid();
        default: return false;
    }
}

void pass_on(const siginfo_t& info, pid_t child) {
    if (info.si_signo == SIGCHLD) return;
    if (info.si_code == SI_QUEUE) {
        ::sigqueue(child, info.si_signo, info.si_value);
    } else {
        ::kill(child, info.si_signo);
    }
}

}  // namespace cmk::compat
