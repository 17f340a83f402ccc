// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <unordered_map>

#include "base/result.h"
#include "k8s/webhook/https_server.h"

namespace cmk::k8s {

/// One thread with its own epoll set; all workers accept from one listening socket.
class HttpsWorker {
public:
    explicit HttpsWorker(HttpsServer& server) : server_(server) {}
    ~HttpsWorker();
    HttpsWorker(const HttpsWorker&) = delete;
    HttpsWorker& operator=(const HttpsWorker&) = delete;

    Status start();
    /// Makes the thread end within `grace`; does not wait.
    void ask_to_stop(std::chrono::milliseconds grace);
    void join();

private:
    struct Client {
        std::unique_ptr<HttpsConnection> connection;
        std::uint32_t events = 0;
    };

    void run() noexcept;
    void wait(SteadyTime& now);
    int timeout(SteadyTime now) const;
    void handle(const epoll_event& event, SteadyTime now);
    void begin_stopping(SteadyTime now);
    void accept_some(SteadyTime now);
    void add(UniqueFd socket, SteadyTime now);
    void serve(int socket, HttpsConnection::Wants (HttpsConnection::*what)(SteadyTime),
               SteadyTime now);
    void settle(int socket, HttpsConnection::Wants wants);
    void drop(int socket);
    void drop_longest_unused();
    void expire(SteadyTime now);

    HttpsServer& server_;
    UniqueFd epoll_;
    UniqueFd wake_;
    std::thread thread_;
    std::unordered_map<int, Client> clients_;
    /// No deadline is earlier; some that was may have been moved since.
    SteadyTime next_deadline_ = SteadyTime::max();
    SteadyTime stop_at_ = SteadyTime::max();
    std::atomic<std::int64_t> grace_ms_ = -1;
};

}  // namespace cmk::k8s
