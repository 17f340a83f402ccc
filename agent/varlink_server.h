// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/log.h"
#include "agent/manager.h"
#include "agent/varlink_connection.h"

namespace cmk {

/// The Varlink sockets on the event loop: accepts, bounds and drops connections, and hands whole
/// messages to a handler.
class VarlinkServer {
public:
    /// Answers one message; `fds` are the descriptors that came with it.
    using Handler = std::function<void(VarlinkConnection&, const std::string& message,
                                       std::vector<UniqueFd> fds)>;
    /// Hears that a connection is about to go.
    using Closing = std::function<void(VarlinkConnection&)>;

    /// What it needs from outside; all of it outlives the server.
    struct Ports {
        sd_event* event;
        Processes& processes;
        const Cgroups& cgroups;
        const Log& log;
    };

    VarlinkServer(Ports ports, const Limits& limits, Handler handler, Closing closing);

    /// Binds a socket (mode 0666) for leases and serves it. A dead socket file of that path is
    /// replaced, a live one is a conflict.
    Status listen(const std::string& path);
    /// Serves a socket that listens already.
    Status listen_on(UniqueFd socket, SocketRole role);
    /// Serves a socket for leases at one more path, instead of the one it offered before; "" for
    /// none. `kept`: that socket of an earlier agent, which clients may wait on; it is used if it
    /// is still at the path. Returns the socket's descriptor, -1 for none.
    Result<int> offer(const std::string& path, UniqueFd kept);
    /// Serves a connection that is open already.
    Status adopt(UniqueFd connection, Peer peer);

    /// Sends to one connection; a client that does not read is dropped.
    void send(VarlinkConnection& connection, const std::string& message);
    /// Goes on with messages that arrived while the connection waited for its answer.
    void resume(VarlinkConnection& connection);
    /// Calls `visit` for every open connection.
    void for_each(const std::function<void(VarlinkConnection&)>& visit);
    /// Calls `visit` for the connection of that descriptor, if it is still open.
    void for_one(int fd, const std::function<void(VarlinkConnection&)>& visit);
    /// The agent is about to end: who has sent less than a whole request, or one that nobody has
    /// looked at, is told to ask the next agent (restarting).
    void stop();
    std::size_t connections() const { return connections_.size(); }

private:
    struct Listener {
        VarlinkServer* server;
        UniqueFd fd;
        SocketRole role;
        SourceHandle source = {};
    };

    static int on_listen(sd_event_source*, int fd, uint32_t events, void* userdata) noexcept;
    static int on_io(sd_event_source*, int fd, uint32_t events, void* userdata) noexcept;
    static int on_deadline(sd_event_source*, uint64_t now, void* userdata) noexcept;
    static int on_sweep(sd_event_source*, void* userdata) noexcept;

    Status add_sources();
    void accept_all(const Listener& listener);
    void accept_one(UniqueFd fd, SocketRole role);
    void set_listening(bool on);
    void serve(int fd, uint32_t events);
    void process(VarlinkConnection& connection);
    void drop(VarlinkConnection& connection);
    void sweep();
    void watch_events(VarlinkConnection& connection);
    void arm_deadline();
    void expire(std::uint64_t now);
    std::string refusal(const Peer& peer) const;

    using CallerKey = std::pair<unsigned, std::string>;

    Ports ports_;
    const Limits& limits_;
    Handler handler_;
    Closing closing_;
    std::vector<std::unique_ptr<Listener>> listeners_;  // sd-event has their addresses
    std::string offered_;                               // the path of the last one, or ""
    SourceHandle deadline_source_;
    SourceHandle sweep_source_;
    std::map<int, std::unique_ptr<VarlinkConnection>> connections_;  // by fd
    std::vector<int> dropped_;  // destroyed from the loop, when no handler runs
    std::map<CallerKey, unsigned> per_caller_;
};

}  // namespace cmk
