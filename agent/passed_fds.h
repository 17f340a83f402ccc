// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "agent/peer.h"
#include "base/unique_fd.h"

namespace cmk {

/// The name under which the socket of [compat] is stored; leases have other names.
inline constexpr char kCompatSocket[] = "compat";

/// The descriptors that systemd passed to the agent, by what they are for.
struct PassedFds {
    std::vector<std::pair<SocketRole, UniqueFd>> listeners = {};
    UniqueFd compat = {};  ///< the socket in [compat] conf_dir, from systemd's store
    UniqueFd uevent = {};  ///< the kernel's messages about devices
    std::map<std::string, UniqueFd> pidfds = {};  ///< from the file descriptor store, by lease
};

/// Sorts descriptors by their names (FileDescriptorName=): "agent", "observe" and "admin" listen,
/// "uevent" is what it says, all others are pidfds named by their lease.
PassedFds sort_passed_fds(std::vector<std::pair<std::string, UniqueFd>>&& named);

/// Takes this process's; empty where it was not started by systemd.
PassedFds take_passed_fds();

}  // namespace cmk
