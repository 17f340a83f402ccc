// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ipc/client.h"

namespace cmk {

/// Takes the events that are here from a connection that monitors, without waiting for more.
Status take_events(Client& events);

}  // namespace cmk
