// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ipc/client.h"

namespace cmk {

/// An event is here already: receiving it does not wait.
bool has_event(const Client& events);

/// Takes the events that are here from a connection that monitors, without waiting for more.
Status take_events(Client& events);

}  // namespace cmk
