// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "agent/cgroups.h"
#include "agent/peer.h"
#include "base/result.h"

namespace cmk {

/// Who is connected to a Unix stream socket: uid and groups as they were at connect(2), and a
/// pidfd by SO_PEERPIDFD (Linux 6.5) or, where the kernel lacks it, opened from SO_PEERCRED's id.
/// Errors: unavailable when the peer has ended.
Result<Peer> identify_socket_peer(int socket, Processes& processes, const Cgroups& cgroups);

/// Fills in what follows from the process behind peer.pidfd: process, cgroup, container.
Status describe_peer(Peer& peer, Processes& processes, const Cgroups& cgroups);

/// Takes a pidfd that the peer sent along as its own. Errors: not_permitted when it is of another
/// process than the peer; those of Processes::pid_of.
Status accept_own_pidfd(Peer& peer, UniqueFd pidfd, Processes& processes);

/// The path in a text of /proc/PID/cgroup that tells containers apart: the v2 line's, or
/// systemd's where that is "/".
std::string identity_path(const std::string& proc_cgroup);

}  // namespace cmk
