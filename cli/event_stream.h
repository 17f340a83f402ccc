// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "cli/session.h"
#include "core/report.h"

namespace cmk {

/// The agent's events. When the agent is restarted the stream goes on with the next one.
class EventStream {
public:
    /// Returns when the stream stands: no later event is missed. Errors: as Client::connect().
    static Result<EventStream> open(const CommonOptions& common);

    /// Waits for an event; none when another agent has taken over, and what happened meanwhile is
    /// not known. Errors: unavailable when no other does.
    Result<std::optional<Event>> next();

    /// An event is here already: next() will not have to wait for it.
    bool has_event() const;

    int fd() const { return client_.fd(); }

private:
    EventStream(const CommonOptions& common, Client client)
        : common_(common), client_(std::move(client)) {}

    CommonOptions common_;
    Client client_;
};

}  // namespace cmk
