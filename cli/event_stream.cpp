// SPDX-License-Identifier: Apache-2.0
#include "cli/event_stream.h"

#include "cli/events.h"

namespace cmk {

namespace {

/// Agents that take the call and end before they answer it.
constexpr unsigned kMaxRestarts = 20;

bool has_ended(const Error& error) {
    return error.code == Errc::unavailable || error.code == Errc::restarting;
}

/// A client whose stream stands. While the agent restarts, the call waits in systemd's socket;
/// where nobody listens there will be no other agent.
Result<Client> subscribe(const CommonOptions& common) {
    for (unsigned left = kMaxRestarts;; --left) {
        CMK_TRY_ASSIGN(Client client, connect(common));
        CMK_TRY(client.subscribe(wire::Monitor{}));
        const auto stands = client.receive<std::optional<Event>>();
        if (stands) {
            client.on_silence({});
            return client;
        }
        if (!has_ended(stands.error()) || left == 0) return stands.error();
    }
}

}  // namespace

Result<EventStream> EventStream::open(const CommonOptions& common) {
    CMK_TRY_ASSIGN(Client client, subscribe(common));
    return EventStream(common, std::move(client));
}

Result<std::optional<Event>> EventStream::next() {
    auto event = client_.receive<std::optional<Event>>();
    if (event || !has_ended(event.error())) return event;
    CMK_TRY_ASSIGN(client_, subscribe(common_));
    return std::optional<Event>();
}

bool EventStream::has_event() const {
    return cmk::has_event(client_);
}

}  // namespace cmk
