// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>
#include <time.h>

#include <chrono>

#include "base/result.h"

namespace cmk {

/// Interrupts blocking system calls of the thread that made it: from the given time on they fail
/// with EINTR. flock(2) has no other bound. Must be destroyed by the same thread.
class WakeUp {
public:
    /// Errors: io.
    static Result<WakeUp> at(std::chrono::steady_clock::time_point deadline);

    WakeUp(WakeUp&& other) noexcept;
    WakeUp& operator=(WakeUp&&) = delete;
    WakeUp(const WakeUp&) = delete;
    WakeUp& operator=(const WakeUp&) = delete;
    ~WakeUp();

private:
    WakeUp() = default;

    bool armed_ = false;
    timer_t timer_ = {};
    sigset_t mask_ = {};  // the thread's mask before
};

}  // namespace cmk
