// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/https_worker.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>
#include <vector>

namespace cmk::k8s {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// New clients taken in one go; others wait for their turn in between.
constexpr int kAcceptsAtOnce = 8;
constexpr int kEventsAtOnce = 64;

void watch(int epoll, int operation, int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    ::epoll_ctl(epoll, operation, fd, &event);
}

}  // namespace

HttpsWorker::~HttpsWorker() {
    ask_to_stop(milliseconds(0));
    join();
}

Status HttpsWorker::start() {
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!epoll_ || !wake_) return errno_error(errno, "epoll");
    watch(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), EPOLLIN);
    watch(epoll_.get(), EPOLL_CTL_ADD, server_.listener_.get(), EPOLLIN | EPOLLEXCLUSIVE);
    // Signals are the main thread's, SIGPIPE nobody's.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        thread_ = std::thread([this] { run(); });
    } catch (const std::system_error& problem) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        return errno_error(problem.code().value(), "cannot start a thread");
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return {};
}

void HttpsWorker::ask_to_stop(milliseconds grace) {
    if (!wake_) return;
    grace_ms_ = grace.count();
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
}

void HttpsWorker::join() {
    if (thread_.joinable()) thread_.join();
}

void HttpsWorker::run() noexcept {
    SteadyTime now = steady_clock::now();
    while (now < stop_at_ && (stop_at_ == SteadyTime::max() || !clients_.empty()))
        wait(now);
    while (!clients_.empty())
        drop(clients_.begin()->first);
}

void HttpsWorker::wait(SteadyTime& now) {
    epoll_event events[kEventsAtOnce];
    const int count = ::epoll_wait(epoll_.get(), events, kEventsAtOnce, timeout(now));
    now = steady_clock::now();
    for (int i = 0; i < count; ++i)
        handle(events[i], now);
    if (now >= next_deadline_) expire(now);
}

int HttpsWorker::timeout(SteadyTime now) const {
    const SteadyTime until = std::min(next_deadline_, stop_at_);
    if (until == SteadyTime::max()) return -1;
    const auto left = std::chrono::ceil<milliseconds>(until - now).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void HttpsWorker::handle(const epoll_event& event, SteadyTime now) {
    if (event.data.fd == wake_.get()) {
        begin_stopping(now);
    } else if (event.data.fd == server_.listener_.get()) {
        accept_some(now);
    } else {
        serve(event.data.fd, &HttpsConnection::advance, now);
    }
}

void HttpsWorker::begin_stopping(SteadyTime now) {
    std::uint64_t count = 0;
    (void)!::read(wake_.get(), &count, sizeof count);
    if (stop_at_ == SteadyTime::max()) {
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, server_.listener_.get(), nullptr);
    }
    stop_at_ = now + milliseconds(grace_ms_);
    std::vector<int> sockets;
    for (const auto& client : clients_)
        sockets.push_back(client.first);
    for (const int socket : sockets)
        serve(socket, &HttpsConnection::finish, now);
}

void HttpsWorker::accept_some(SteadyTime now) {
    for (int i = 0; i < kAcceptsAtOnce && stop_at_ == SteadyTime::max(); ++i) {
        UniqueFd socket(
            ::accept4(server_.listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (socket) {
            add(std::move(socket), now);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            return drop_longest_unused();
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

void HttpsWorker::add(UniqueFd socket, SteadyTime now) {
    if (clients_.size() >= server_.options_.connections) drop_longest_unused();
    const int fd = socket.get();
    try {
        Client client{std::make_unique<HttpsConnection>(std::move(socket), server_.context(),
                                                        server_.environment_, now),
                      EPOLLIN};
        clients_.insert_or_assign(fd, std::move(client));
    } catch (const std::bad_alloc&) {
        return;
    }
    ++server_.connections_;
    watch(epoll_.get(), EPOLL_CTL_ADD, fd, EPOLLIN);
    serve(fd, &HttpsConnection::advance, now);
}

void HttpsWorker::serve(int socket, HttpsConnection::Wants (HttpsConnection::*what)(SteadyTime),
                        SteadyTime now) {
    const auto client = clients_.find(socket);
    if (client == clients_.end()) return;
    HttpsConnection& connection = *client->second.connection;
    auto wants = HttpsConnection::Wants::close;
    try {
        wants = (connection.*what)(now);
    } catch (const std::exception&) {
        // Out of memory: this client's request was too much, others may go on.
    }
    settle(socket, wants);
}

void HttpsWorker::settle(int socket, HttpsConnection::Wants wants) {
    if (wants == HttpsConnection::Wants::close) return drop(socket);
    Client& client = clients_.at(socket);
    const std::uint32_t events = wants == HttpsConnection::Wants::read ? EPOLLIN : EPOLLOUT;
    if (events != client.events) watch(epoll_.get(), EPOLL_CTL_MOD, socket, events);
    client.events = events;
    next_deadline_ = std::min(next_deadline_, client.connection->deadline());
}

void HttpsWorker::drop(int socket) {
    clients_.erase(socket);
    --server_.connections_;
}

void HttpsWorker::drop_longest_unused() {
    const auto rank = [](const auto& client) {
        const HttpsConnection& connection = *client.second.connection;
        return std::pair(connection.is_busy(), connection.unused_since());
    };
    const auto longest =
        std::min_element(clients_.begin(), clients_.end(),
                         [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    if (longest != clients_.end()) drop(longest->first);
}

void HttpsWorker::expire(SteadyTime now) {
    std::vector<int> expired;
    next_deadline_ = SteadyTime::max();
    for (const auto& client : clients_) {
        const SteadyTime deadline = client.second.connection->deadline();
        if (deadline <= now) {
            expired.push_back(client.first);
        } else {
            next_deadline_ = std::min(next_deadline_, deadline);
        }
    }
    for (const int socket : expired)
        serve(socket, &HttpsConnection::expire, now);
}

}  // namespace cmk::k8s
