// SPDX-License-Identifier: Apache-2.0
#include "cli/events.h"

#include <poll.h>

namespace cmk {

namespace {

bool is_readable(int fd) {
    pollfd event{fd, POLLIN, 0};
    return ::poll(&event, 1, 0) == 1;
}

}  // namespace

Status take_events(Client& events) {
    while (events.has_reply() || is_readable(events.fd()))
        CMK_TRY(events.receive<std::optional<Event>>());
    return {};
}

}  // namespace cmk
