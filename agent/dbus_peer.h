// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include "agent/cgroups.h"
#include "agent/peer.h"
#include "base/handle.h"
#include "base/result.h"

namespace cmk {

using BusHandle = Handle<sd_bus, sd_bus_close_unref>;
using BusMessage = Handle<sd_bus_message, sd_bus_message_unref>;

/// Who sent a message: asked of the bus daemon, which knows it from the kernel, or on a connection
/// without a daemon of the socket. The pidfd is the daemon's where it hands one out (ProcessFD,
/// dbus 1.16), else opened from the process id, which is asked for again while the pidfd is held.
/// Errors: unavailable when the sender has left or its id belongs to another process.
Result<Peer> identify_bus_sender(sd_bus_message* message, Processes& processes,
                                 const Cgroups& cgroups);

/// A failure of libsystemd, from its negative errno.
inline Error bus_error(int result, const std::string& what) {
    return errno_error(-result, what);
}

}  // namespace cmk
