// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "cli/compat/options.h"
#include "ipc/client.h"

namespace cmk::compat {

/// Finds out who serves: a connection to the agent, or nothing where the original's directory does.
///
/// An `agent.sock` in the directory means the agent; that it cannot be reached is an error, never a
/// reason to fall back, since there would be two allocators on the same cores. A directory that was
/// named on the command line, or that has pools, is worked on itself. Only where neither is so does
/// CMK_SOCKET or the default socket count, and last the admin socket or the observe socket, if it
/// answers: one of them is what the pods of cluster-init have. They also come before the socket in
/// the usual directory, since they may do more. Errors: unavailable.
Result<std::optional<Client>> find_agent(const Options& options);

}  // namespace cmk::compat
