// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <set>
#include <string>

#include "agent/peer.h"
#include "base/result.h"
#include "core/allocator.h"
#include "core/report.h"

namespace cmk {

/// An isolate request as the manager takes it.
struct IsolateOrder {
    AllocationRequest what;
    bool pin = true;
    std::uint64_t wait_ms = 0;
};

using IsolateDone = std::function<void(Result<Grant>)>;

/// Names a waiting request; 0 is none.
using Ticket = std::uint64_t;

struct Waiter {
    Ticket ticket = 0;
    Peer peer;
    IsolateOrder order;
    IsolateDone done;
};

/// Requests that wait for cores, first come, first served within a pool.
class WaitQueue {
public:
    Ticket push(Peer peer, IsolateOrder order, IsolateDone done);
    /// Takes the longest waiting request of the pool out.
    std::optional<Waiter> take_first(const std::string& pool);
    /// Puts back what take_first took, before all others.
    void put_back(Waiter waiter);
    std::optional<Waiter> take(Ticket ticket);
    std::optional<Waiter> take_any();
    unsigned count(const std::string& pool) const;
    /// Pools that someone waits for.
    std::set<std::string> pools() const;
    std::size_t size() const { return waiters_.size(); }

private:
    template <typename Wanted>
    std::optional<Waiter> take_where(Wanted&& wanted);

    std::list<Waiter> waiters_;
    Ticket next_ = 1;
};

}  // namespace cmk
