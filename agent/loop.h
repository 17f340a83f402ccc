// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace cmk {

/// What the manager needs of the event loop: to hear that a process has ended, and timers. Keys
/// name watches; watching under a key again replaces the earlier watch. Callbacks run from the
/// loop, never from inside these calls.
class Loop {
public:
    virtual ~Loop() = default;

    /// Calls `on_exit` once when the process behind the pidfd has ended, then forgets the watch.
    virtual Status watch_exit(const std::string& key, UniqueFd pidfd,
                              std::function<void()> on_exit) = 0;
    /// Calls `on_time` once after `delay_ms`.
    virtual Status set_timer(const std::string& key, std::uint64_t delay_ms,
                             std::function<void()> on_time) = 0;
    /// Calls `on_change` whenever the kernel announces a change of the control file (POLLPRI).
    virtual Status watch_change(const std::string& key, UniqueFd file,
                                std::function<void()> on_change) = 0;
    /// Forgets the watches and the timer of that key, if there are any.
    virtual void forget(const std::string& key) = 0;
};

}  // namespace cmk
