// SPDX-License-Identifier: Apache-2.0
// The manager's part that keeps requests waiting for cores.
#include <fcntl.h>

#include "agent/manager.h"

namespace cmk {

namespace {

UniqueFd duplicate(const UniqueFd& fd) {
    return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
}

std::string wait_key(Ticket ticket) {
    return "wait/" + std::to_string(ticket);
}

}  // namespace

Ticket Manager::wait(Peer peer, IsolateOrder order, IsolateDone done) {
    if (queue_.size() >= config_.limits.waiting) {
        counters_.refused(order.what.pool, Errc::too_many);
        done(make_error(Errc::too_many, std::to_string(config_.limits.waiting) +
                                            " requests wait already; try again later, or raise "
                                            "waiting in [limits]"));
        return 0;
    }
    const std::string pool = order.what.pool;
    const std::uint64_t delay = order.wait_ms;
    UniqueFd pidfd = duplicate(peer.pidfd);
    const Ticket ticket = queue_.push(std::move(peer), std::move(order), std::move(done));
    Status set = ports_.loop.watch_exit(wait_key(ticket), std::move(pidfd),
                                        [this, ticket] { cancel(ticket); });
    if (set) {
        set = ports_.loop.set_timer(wait_key(ticket), delay, [this, ticket, pool] {
            answer(ticket, make_error(Errc::timed_out,
                                      "the wait is over: no core of pool " + pool +
                                          " came free in time; see cmkctl leases for who holds "
                                          "them"));
        });
    }
    if (!set) answer(ticket, set.error());
    return set ? ticket : 0;
}

void Manager::cancel(Ticket ticket) {
    ports_.loop.forget(wait_key(ticket));
    // Whoever stood behind it may fit now.
    if (queue_.take(ticket)) serve_waiting();
}

void Manager::answer(Ticket ticket, Error error) {
    ports_.loop.forget(wait_key(ticket));
    auto waiter = queue_.take(ticket);
    if (!waiter) return;
    counters_.refused(waiter->order.what.pool, error.code);
    waiter->done(std::move(error));
    serve_waiting();
}

void Manager::stop_waiting() {
    while (auto waiter = queue_.take_any()) {
        ports_.loop.forget(wait_key(waiter->ticket));
        waiter->done(make_error(Errc::restarting, "the agent is ending; ask again"));
    }
}

void Manager::serve_waiting() {
    for (const std::string& pool : queue_.pools()) {
        while (serve_first(pool)) {
        }
    }
}

/// True when the first of the pool's queue has got its answer.
bool Manager::serve_first(const std::string& pool) {
    // Out of the queue meanwhile: a listener that hears of the lease may cancel any request.
    auto waiter = queue_.take_first(pool);
    if (!waiter) return false;
    // It may have moved or changed its name while it waited.
    const auto info = ports_.processes.inspect(waiter->peer.pidfd.get());
    if (info) waiter->peer.process = *info;
    Result<Grant> result = info ? grant(waiter->peer, waiter->order) : Result<Grant>(info.error());
    if (!result && result.error().code == Errc::not_enough_cpus) {
        queue_.put_back(*std::move(waiter));
        return false;
    }
    if (!result) counters_.refused(pool, result.error().code);
    ports_.loop.forget(wait_key(waiter->ticket));
    waiter->done(std::move(result));
    return true;
}

}  // namespace cmk
