// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "agent/loop.h"

namespace cmk {

/// Loop by hand: exits fire when run_exits() finds a readable pidfd, timers when time is moved on.
class FakeLoop final : public Loop {
public:
    Status watch_exit(const std::string& key, UniqueFd pidfd,
                      std::function<void()> on_exit) override;
    Status set_timer(const std::string& key, std::uint64_t delay_ms,
                     std::function<void()> on_time) override;
    Status watch_change(const std::string& key, UniqueFd file,
                        std::function<void()> on_change) override;
    void forget(const std::string& key) override;

    /// Fires watches of processes that have ended until there is none left; returns how many.
    unsigned run_exits();
    /// Fires the watch of a control file, if there is one.
    void announce_change(const std::string& key);
    /// Moves time on and fires the timers that come due, earliest first.
    void advance(std::uint64_t ms);

    bool watches(const std::string& key) const { return exits_.find(key) != exits_.end(); }
    std::size_t exits() const { return exits_.size(); }
    std::size_t timers() const { return timers_.size(); }
    /// Forgets everything, as the end of the agent does.
    void clear();
    /// Lets calls of watch_exit fail.
    bool refuse_watches = false;

private:
    struct Exit {
        UniqueFd pidfd;
        std::function<void()> on_exit;
    };
    struct Timer {
        std::uint64_t at = 0;
        std::function<void()> on_time;
    };
    std::map<std::string, Exit> exits_;
    std::map<std::string, Timer> timers_;
    std::map<std::string, std::function<void()>> changes_;
    std::uint64_t now_ms_ = 0;
};

}  // namespace cmk
