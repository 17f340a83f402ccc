// SPDX-License-Identifier: Apache-2.0
#include "support/fake_loop.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace cmk {

Status FakeLoop::watch_exit(const std::string& key, UniqueFd pidfd, std::function<void()> on_exit) {
    if (refuse_watches || !pidfd) return errno_error(EBADF, "cannot watch a process");
    exits_[key] = {std::move(pidfd), std::move(on_exit)};
    return {};
}

Status FakeLoop::set_timer(const std::string& key, std::uint64_t delay_ms,
                           std::function<void()> on_time) {
    timers_[key] = {now_ms_ + delay_ms, std::move(on_time)};
    return {};
}

Status FakeLoop::watch_change(const std::string& key, UniqueFd, std::function<void()> on_change) {
    changes_[key] = std::move(on_change);
    return {};
}

void FakeLoop::announce_change(const std::string& key) {
    const auto at = changes_.find(key);
    if (at == changes_.end()) return;
    const auto on_change = at->second;
    on_change();
}

void FakeLoop::forget(const std::string& key) {
    exits_.erase(key);
    timers_.erase(key);
    changes_.erase(key);
}

unsigned FakeLoop::run_exits() {
    for (unsigned fired = 0;; ++fired) {
        const auto ended = std::find_if(exits_.begin(), exits_.end(), [](const auto& entry) {
            pollfd poll_fd{entry.second.pidfd.get(), POLLIN, 0};
            return ::poll(&poll_fd, 1, 0) > 0;
        });
        if (ended == exits_.end()) return fired;
        const auto on_exit = std::move(ended->second.on_exit);
        exits_.erase(ended);
        on_exit();
    }
}

void FakeLoop::advance(std::uint64_t ms) {
    const std::uint64_t until = now_ms_ + ms;
    for (;;) {
        const auto next = std::min_element(
            timers_.begin(), timers_.end(),
            [](const auto& a, const auto& b) { return a.second.at < b.second.at; });
        if (next == timers_.end() || next->second.at > until) break;
        now_ms_ = next->second.at;
        const auto on_time = std::move(next->second.on_time);
        timers_.erase(next);
        on_time();
    }
    now_ms_ = until;
}

void FakeLoop::clear() {
    exits_.clear();
    timers_.clear();
    changes_.clear();
}

}  // namespace cmk
