// SPDX-License-Identifier: Apache-2.0
#include "agent/varlink_api.h"

#include <fcntl.h>

#include "agent/peer_credentials.h"
#include "ipc/names.h"

namespace cmk {

namespace {

constexpr char kInterfaceText[] =
#include "org.cmk.Agent.varlink.inc"
    ;

constexpr char kServiceText[] =
    R"varlink(# The Varlink service interface (https://varlink.org/Service)
interface org.varlink.service

method GetInfo() -> (
  vendor: string, product: string, version: string, url: string, interfaces: []string
)

method GetInterfaceDescription(interface: string) -> (description: string)

error InterfaceNotFound(interface: string)
error MethodNotFound(method: string)
error MethodNotImplemented(method: string)
error InvalidParameter(parameter: string)
error ExpectedMore()
)varlink";

std::string failure_text(const Error& error) {
    return wire::encode_failure(wire::to_failure(error));
}

/// A copy for the manager: the connection goes on being known by its own.
Peer copy_of(const Peer& peer) {
    Peer copy{.process = peer.process,
              .uid = peer.uid,
              .groups = peer.groups,
              .container = peer.container,
              .service = peer.service,
              .cgroup = peer.cgroup,
              .identity = peer.identity,
              .role = peer.role};
    if (peer.pidfd) copy.pidfd.reset(::fcntl(peer.pidfd.get(), F_DUPFD_CLOEXEC, 3));
    return copy;
}

}  // namespace

/// What a method needs beside its parameters.
struct VarlinkApi::Context {
    VarlinkConnection& connection;
    bool oneway;
    std::vector<UniqueFd>& fds;
};

void VarlinkApi::serve_on(VarlinkServer& server) {
    server_ = &server;
    for (const std::string& method : wire::method_names())
        manager_.counters().varlink.try_emplace(method);
    manager_.listen([this](const Event& event) { broadcast(event); });
}

void VarlinkApi::handle(VarlinkConnection& connection, const std::string& message,
                        std::vector<UniqueFd> fds) {
    auto decoded = wire::decode_call(message);
    if (const auto* failure = std::get_if<wire::Failure>(&decoded)) {
        return server_->send(connection, wire::encode_failure(*failure));
    }
    auto& call = std::get<wire::Call>(decoded);
    Counters::request(manager_.counters().varlink, wire::method_names()[call.method.index()]);
    const Context context{connection, call.oneway, fds};
    const auto* isolate = std::get_if<wire::Isolate>(&call.method);
    const std::size_t wanted = isolate != nullptr && isolate->has_pidfd ? 1 : 0;
    if (fds.size() != wanted) {
        return reply(context,
                     failure_text(make_error(
                         Errc::invalid_argument,
                         wanted == 1 ? "send exactly one file descriptor along, a pidfd of yourself"
                                     : "this call takes no file descriptor")));
    }
    std::visit([&](auto& method) { run(context, method); }, call.method);
}

void VarlinkApi::reply(const Context& context, const std::string& message) {
    if (!context.oneway) server_->send(context.connection, message);
}

template <typename T>
void VarlinkApi::reply_result(const Context& context, const Result<T>& result) {
    reply(context, result ? wire::encode(*result) : failure_text(result.error()));
}

void VarlinkApi::run(const Context& context, wire::Isolate& call) {
    VarlinkConnection& connection = context.connection;
    if (call.has_pidfd) {
        const Status own =
            accept_own_pidfd(connection.peer, std::move(context.fds.front()), processes_);
        if (!own) return reply(context, failure_text(own.error()));
    }
    IsolateOrder order{.what = call.what, .pin = call.pin, .wait_ms = call.wait_ms};
    connection.ticket = manager_.isolate(
        copy_of(connection.peer), std::move(order),
        [this, fd = connection.fd(), oneway = context.oneway](Result<Grant> result) {
            answer_waiting(fd, oneway, std::move(result));
        });
}

void VarlinkApi::answer_waiting(int fd, bool oneway, Result<Grant> result) {
    server_->for_one(fd, [&](VarlinkConnection& connection) {
        const bool waited = connection.ticket != 0;
        connection.ticket = 0;
        if (!oneway) {
            server_->send(connection,
                          result ? wire::encode(*result) : failure_text(result.error()));
        }
        if (waited) server_->resume(connection);
    });
}

void VarlinkApi::run(const Context& context, wire::Release& call) {
    const Status done = manager_.release(context.connection.peer, call.lease);
    reply(context, done ? wire::encode_empty() : failure_text(done.error()));
}

void VarlinkApi::run(const Context& context, wire::ListPools&) {
    reply(context, wire::encode(manager_.list_pools()));
}

void VarlinkApi::run(const Context& context, wire::ListLeases&) {
    reply(context, wire::encode(manager_.list_leases(context.connection.peer)));
}

void VarlinkApi::run(const Context& context, wire::GetTopology&) {
    reply(context, wire::encode(manager_.describe_host(context.connection.peer)));
}

void VarlinkApi::run(const Context& context, wire::GetMetrics&) {
    const auto text = manager_.metrics(context.connection.peer);
    reply(context, text ? wire::encode(wire::MetricsPage{*text}) : failure_text(text.error()));
}

void VarlinkApi::run(const Context& context, wire::Reconcile&) {
    reply_result(context, manager_.reconcile(context.connection.peer));
}

void VarlinkApi::run(const Context& context, wire::Verify& call) {
    reply_result(context, manager_.verify(context.connection.peer, call.lease));
}

void VarlinkApi::run(const Context& context, wire::Reconfigure& call) {
    reply_result(context, manager_.reconfigure(context.connection.peer, call.pools, call.dry_run,
                                               call.compat));
}

void VarlinkApi::run(const Context& context, wire::Reload&) {
    reply_result(context, manager_.reload(context.connection.peer));
}

void VarlinkApi::run(const Context& context, wire::Monitor&) {
    context.connection.monitoring = true;
    server_->send(context.connection, wire::encode(std::optional<Event>()));
}

void VarlinkApi::run(const Context& context, wire::GetInfo&) {
    reply(context, wire::encode_info(manager_.host().version));
}

void VarlinkApi::run(const Context& context, wire::GetInterfaceDescription& call) {
    const bool ours = call.interface == kVarlinkInterface;
    if (!ours && call.interface != "org.varlink.service") {
        return reply(context, wire::encode_failure(
                                  {"org.varlink.service.InterfaceNotFound", "", call.interface}));
    }
    reply(context, wire::encode_description(ours ? kInterfaceText : kServiceText));
}

void VarlinkApi::broadcast(const Event& event) {
    // The reason of an event without lease tells of the host and of others' leases.
    Event bare = event;
    bare.reason.clear();
    server_->for_each([&](VarlinkConnection& connection) {
        const bool about_lease = event.lease.has_value();
        if (!connection.monitoring) return;
        if (about_lease && !manager_.may_see(connection.peer, *event.lease)) return;
        const bool is_bare = !about_lease && !manager_.may_see_host(connection.peer);
        server_->send(connection, wire::encode(std::optional<Event>(is_bare ? bare : event)));
    });
}

void VarlinkApi::closing(VarlinkConnection& connection) {
    if (connection.ticket != 0) manager_.cancel(std::exchange(connection.ticket, 0));
}

}  // namespace cmk
