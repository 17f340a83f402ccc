// SPDX-License-Identifier: Apache-2.0
#include "cli/events.h"

#include <poll.h>

namespace cmk {

bool has_event(const Client& events) {
    pollfd readable{events.fd(), POLLIN, 0};
    return events.has_reply() || ::poll(&readable, 1, 0) == 1;
}

Status take_events(Client& events) {
    while (has_event(events))
        CMK_TRY(events.receive<std::optional<Event>>());
    return {};
}

}  // namespace cmk
