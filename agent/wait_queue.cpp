// SPDX-License-Identifier: Apache-2.0
#include "agent/wait_queue.h"

#include <algorithm>

namespace cmk {

Ticket WaitQueue::push(Peer peer, IsolateOrder order, IsolateDone done) {
    waiters_.push_back(Waiter{next_, std::move(peer), std::move(order), std::move(done)});
    return next_++;
}

std::optional<Waiter> WaitQueue::take_first(const std::string& pool) {
    return take_where([&](const Waiter& waiter) { return waiter.order.what.pool == pool; });
}

std::optional<Waiter> WaitQueue::take(Ticket ticket) {
    return take_where([&](const Waiter& waiter) { return waiter.ticket == ticket; });
}

std::optional<Waiter> WaitQueue::take_any() {
    return take_where([](const Waiter&) { return true; });
}

void WaitQueue::put_back(Waiter waiter) {
    waiters_.push_front(std::move(waiter));
}

template <typename Wanted>
std::optional<Waiter> WaitQueue::take_where(Wanted&& wanted) {
    const auto at = std::find_if(waiters_.begin(), waiters_.end(), wanted);
    if (at == waiters_.end()) return std::nullopt;
    Waiter waiter = std::move(*at);
    waiters_.erase(at);
    return waiter;
}

unsigned WaitQueue::count(const std::string& pool) const {
    return static_cast<unsigned>(
        std::count_if(waiters_.begin(), waiters_.end(),
                      [&](const Waiter& waiter) { return waiter.order.what.pool == pool; }));
}

std::set<std::string> WaitQueue::pools() const {
    std::set<std::string> names;
    for (const Waiter& waiter : waiters_)
        names.insert(waiter.order.what.pool);
    return names;
}

}  // namespace cmk
