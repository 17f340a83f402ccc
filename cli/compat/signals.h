// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <csignal>
#include <optional>

namespace cmk::compat {

/// Holds back every catchable signal but those of our own faults, so that they can be passed on to
/// a child and none ends this process before it has cleaned up. To be made before anything is
/// recorded that has to be taken back, and to be kept until it has been. The destructor gives the
/// thread its mask back and drops signals that still wait: they were for a child that is gone, and
/// must not replace its status by ours. For a program of one thread that is about to end.
class BlockedSignals {
public:
    BlockedSignals();
    ~BlockedSignals();
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;

    /// Gives a child between fork and exec the mask and dispositions from before.
    void restore() const;

    /// Waits for a signal.
    siginfo_t wait() const;
    /// The next one that waits already, if any.
    std::optional<siginfo_t> poll() const;

    /// A waiting signal that asks us to end (TERM, INT, HUP, QUIT), for whoever must not start
    /// something long any more; 0 without one. It goes on waiting.
    static int stop_request();

private:
    sigset_t blocked_ = {};
    sigset_t original_ = {};
    struct sigaction original_sigchld_ = {};
};

/// Does a child in our process group have this signal already? A terminal sends its signals (an
/// interrupt key, a changed size) to the group; all others are for us alone.
bool has_reached_group(const siginfo_t& info);

/// Sends the signal on, with the value of sigqueue(3). SIGCHLD is about us and is not sent.
void pass_on(const siginfo_t& info, pid_t child);

}  // namespace cmk::compat
