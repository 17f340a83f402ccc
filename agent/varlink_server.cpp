// SPDX-License-Identifier: Apache-2.0
#include "agent/varlink_server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include <cerrno>

#include "agent/listening_socket.h"
#include "agent/message_ids.h"
#include "agent/peer_credentials.h"
#include "base/text.h"
#include "ipc/wire.h"

namespace cmk {

namespace {

constexpr std::uint64_t kUsecPerSec = 1000000;

std::uint64_t monotonic_us() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * kUsecPerSec +
           static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

std::string failure_text(Errc code, std::string message) {
    return wire::encode_failure(wire::to_failure(make_error(code, std::move(message))));
}

}  // namespace

VarlinkServer::VarlinkServer(Ports ports, const Limits& limits, Handler handler, Closing closing)
    : ports_(ports), limits_(limits), handler_(std::move(handler)), closing_(std::move(closing)) {}

Status VarlinkServer::add_sources() {
    if (sweep_source_) return {};
    sd_event_source* source = nullptr;
    int error = ::sd_event_add_defer(ports_.event, &source, on_sweep, this);
    if (error < 0) return errno_error(-error, "cannot add to the event loop");
    sweep_source_.reset(source);
    ::sd_event_source_set_enabled(source, SD_EVENT_OFF);
    error = ::sd_event_add_time(ports_.event, &source, CLOCK_MONOTONIC, 0, 0, on_deadline, this);
    if (error < 0) return errno_error(-error, "cannot add to the event loop");
    deadline_source_.reset(source);
    ::sd_event_source_set_enabled(source, SD_EVENT_OFF);
    return {};
}

Status VarlinkServer::listen(const std::string& path) {
    CMK_TRY_ASSIGN(UniqueFd socket, make_listening_socket(path));
    return listen_on(std::move(socket), SocketRole::lease);
}

Result<int> VarlinkServer::offer(const std::string& path, UniqueFd kept) {
    if (!offered_.empty()) {
        ::unlink(offered_.c_str());
        listeners_.pop_back();
        offered_.clear();
    }
    if (path.empty()) return -1;
    if (!is_bound_to(kept.get(), path)) {
        CMK_TRY_ASSIGN(kept, make_listening_socket(path));
    }
    const int fd = kept.get();
    CMK_TRY(listen_on(std::move(kept), SocketRole::lease));
    offered_ = path;
    return fd;
}

Status VarlinkServer::listen_on(UniqueFd socket, SocketRole role) {
    CMK_TRY(add_sources());
    std::unique_ptr<Listener> listener(new Listener{this, std::move(socket), role});
    sd_event_source* source = nullptr;
    const int error = ::sd_event_add_io(ports_.event, &source, listener->fd.get(), EPOLLIN,
                                        on_listen, listener.get());
    if (error < 0) return errno_error(-error, "cannot serve a socket");
    listener->source.reset(source);
    listeners_.push_back(std::move(listener));
    return {};
}

int VarlinkServer::on_listen(sd_event_source*, int, uint32_t, void* userdata) noexcept {
    const auto* listener = static_cast<const Listener*>(userdata);
    try {
        listener->server->accept_all(*listener);
    } catch (const std::exception& problem) {
        listener->server->ports_.log.error(problem.what());
    }
    return 0;
}

int VarlinkServer::on_io(sd_event_source*, int fd, uint32_t events, void* userdata) noexcept {
    try {
        static_cast<VarlinkServer*>(userdata)->serve(fd, events);
    } catch (const std::exception& problem) {
        static_cast<VarlinkServer*>(userdata)->ports_.log.error(problem.what());
    }
    return 0;
}

int VarlinkServer::on_deadline(sd_event_source*, uint64_t now, void* userdata) noexcept {
    static_cast<VarlinkServer*>(userdata)->expire(now);
    return 0;
}

int VarlinkServer::on_sweep(sd_event_source*, void* userdata) noexcept {
    static_cast<VarlinkServer*>(userdata)->sweep();
    return 0;
}

void VarlinkServer::accept_all(const Listener& listener) {
    for (;;) {
        UniqueFd fd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (fd) {
            accept_one(std::move(fd), listener.role);
        } else if (errno == EMFILE || errno == ENFILE) {
            // Level-triggered: it would fire for ever. The next connection that goes turns it on.
            ports_.log.error("out of file descriptors; new connections wait until one closes",
                             {{"MESSAGE_ID", message_id::kNoDescriptors}});
            return set_listening(false);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

void VarlinkServer::set_listening(bool on) {
    for (const auto& listener : listeners_) {
        ::sd_event_source_set_enabled(listener->source.get(), on ? SD_EVENT_ON : SD_EVENT_OFF);
    }
}

std::string VarlinkServer::refusal(const Peer& peer) const {
    const auto at = per_caller_.find({peer.uid, peer.cgroup});
    if (at != per_caller_.end() && at->second >= limits_.connections_per_caller) {
        return "you have " + std::to_string(at->second) +
               " connections open already; close some, or raise connections_per_caller in [limits]";
    }
    if (connections_.size() >= limits_.connections) {
        return "the agent has " + std::to_string(connections_.size()) +
               " connections open; try again, or raise connections in [limits]";
    }
    return "";
}

void VarlinkServer::accept_one(UniqueFd fd, SocketRole role) {
    auto peer = identify_socket_peer(fd.get(), ports_.processes, ports_.cgroups);
    if (!peer) return;  // it is gone
    peer->role = role;
    if (const std::string reason = refusal(*peer); !reason.empty()) {
        const std::string text = failure_text(Errc::too_many, reason);
        (void)::send(fd.get(), text.c_str(), text.size() + 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        return;
    }
    if (const Status added = adopt(std::move(fd), *std::move(peer)); !added) {
        ports_.log.error(added.error().message);
    }
}

Status VarlinkServer::adopt(UniqueFd fd, Peer peer) {
    CMK_TRY(add_sources());
    const int number = fd.get();
    const CallerKey key{peer.uid, peer.cgroup};
    const std::uint64_t deadline = monotonic_us() + limits_.request_seconds * kUsecPerSec;
    auto connection = std::make_unique<VarlinkConnection>(std::move(fd), std::move(peer), deadline);
    sd_event_source* source = nullptr;
    const int error = ::sd_event_add_io(ports_.event, &source, number, EPOLLIN, on_io, this);
    if (error < 0) return errno_error(-error, "cannot serve a connection");
    connection->source.reset(source);
    ++per_caller_[key];
    connections_[number] = std::move(connection);
    // The request is usually there already: no timer then.
    serve(number, EPOLLIN);
    if (connections_[number]->deadline != 0) arm_deadline();
    return {};
}

void VarlinkServer::serve(int fd, uint32_t events) {
    const auto at = connections_.find(fd);
    if (at == connections_.end() || at->second->dropped) return;
    VarlinkConnection& connection = *at->second;
    if ((events & EPOLLOUT) != 0 && connection.flush() == VarlinkConnection::State::closed) {
        return drop(connection);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        const auto state = connection.receive();
        process(connection);
        if (connection.dropped) return;
        if (state == VarlinkConnection::State::closed) {
            if (connection.too_long()) {
                send(connection, failure_text(Errc::invalid_argument,
                                              "the message is longer than " +
                                                  std::to_string(kMaxRequest) + " bytes"));
            }
            return drop(connection);
        }
        // Nobody who may still be waiting for an answer closes its sending side.
        if (connection.half_closed && !connection.has_output()) return drop(connection);
    }
    watch_events(connection);
}

void VarlinkServer::process(VarlinkConnection& connection) {
    bool handled = false;
    while (!connection.dropped && connection.ticket == 0) {
        const auto message = connection.take_message();
        if (!message) break;
        handler_(connection, *message, connection.take_fds());
        handled = true;
    }
    if (connection.dropped) return;
    if (handled) connection.deadline = 0;
    // A deadline that runs already is not put off by single bytes.
    if (connection.has_partial() && connection.ticket == 0 && connection.deadline == 0) {
        connection.deadline = monotonic_us() + limits_.request_seconds * kUsecPerSec;
        arm_deadline();
    }
}

void VarlinkServer::resume(VarlinkConnection& connection) {
    if (connection.dropped) return;
    process(connection);
    watch_events(connection);
}

void VarlinkServer::send(VarlinkConnection& connection, const std::string& message) {
    if (connection.dropped) return;
    if (connection.send(message) == VarlinkConnection::State::closed) return drop(connection);
    watch_events(connection);
}

void VarlinkServer::watch_events(VarlinkConnection& connection) {
    if (connection.dropped) return;
    // The end of the stream, or bytes that are left unread, would fire for ever.
    const uint32_t input = connection.reads() ? static_cast<uint32_t>(EPOLLIN) : 0U;
    ::sd_event_source_set_io_events(connection.source.get(),
                                    connection.has_output() ? input | EPOLLOUT : input);
}

void VarlinkServer::for_each(const std::function<void(VarlinkConnection&)>& visit) {
    for (const auto& [fd, connection] : connections_) {
        if (!connection->dropped) visit(*connection);
    }
}

void VarlinkServer::for_one(int fd, const std::function<void(VarlinkConnection&)>& visit) {
    const auto at = connections_.find(fd);
    if (at != connections_.end() && !at->second->dropped) visit(*at->second);
}

void VarlinkServer::stop() {
    for_each([&](VarlinkConnection& connection) {
        if (connection.monitoring || !connection.expects_answer()) return;
        send(connection, failure_text(Errc::restarting, "the agent is ending; ask again"));
    });
}

/// Handlers still hold references: it is destroyed from the loop.
void VarlinkServer::drop(VarlinkConnection& connection) {
    if (connection.dropped) return;
    connection.dropped = true;
    ::sd_event_source_set_enabled(connection.source.get(), SD_EVENT_OFF);
    dropped_.push_back(connection.fd());
    ::sd_event_source_set_enabled(sweep_source_.get(), SD_EVENT_ONESHOT);
    closing_(connection);
}

void VarlinkServer::sweep() {
    for (const int fd : std::exchange(dropped_, {})) {
        const auto at = connections_.find(fd);
        const CallerKey key{at->second->peer.uid, at->second->peer.cgroup};
        if (--per_caller_[key] == 0) per_caller_.erase(key);
        connections_.erase(at);
    }
    set_listening(true);
}

void VarlinkServer::arm_deadline() {
    std::uint64_t earliest = 0;
    for (const auto& [fd, connection] : connections_) {
        if (connection->dropped || connection->deadline == 0) continue;
        if (earliest == 0 || connection->deadline < earliest) earliest = connection->deadline;
    }
    if (earliest != 0) ::sd_event_source_set_time(deadline_source_.get(), earliest);
    ::sd_event_source_set_enabled(deadline_source_.get(),
                                  earliest != 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

void VarlinkServer::expire(std::uint64_t now) {
    for_each([&](VarlinkConnection& connection) {
        if (connection.deadline == 0 || connection.deadline > now) return;
        send(connection, failure_text(Errc::timed_out,
                                      "no whole request came within " +
                                          counted(limits_.request_seconds, "second", "seconds")));
        drop(connection);
    });
    arm_deadline();
}

}  // namespace cmk
