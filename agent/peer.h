// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/processes.h"
#include "base/unique_fd.h"
#include "core/caller.h"

namespace cmk {

/// What the socket that a container came by is for; others are not judged by it.
enum class SocketRole {
    lease,    ///< lease for itself, see and end its own leases
    observe,  ///< and see everything
    admin,    ///< everything
};

/// Who speaks, as the kernel vouches for it. An adapter fills it in; nothing in it comes from the
/// caller's message but the pidfd, which was checked against the peer.
struct Peer {
    UniqueFd pidfd = {};       ///< of the calling process; none where it is not known
    ProcessInfo process = {};  ///< what was seen behind the pidfd
    unsigned uid = 0;
    std::vector<unsigned> groups = {};  ///< primary and supplementary
    bool container = false;             ///< uid and groups then say nothing about the host
    bool service = false;               ///< a systemd unit's main process, alone in its group
    std::string cgroup = {};            ///< where it sits, in the cpuset hierarchy
    CallerIdentity identity = {};
    SocketRole role = SocketRole::lease;
    bool vouched = false;  ///< polkit allows this one request

    bool is_host_root() const { return uid == 0 && !container; }
    CallerKind kind() const {
        if (container) return CallerKind::container;
        return service ? CallerKind::service : CallerKind::host;
    }
    /// May polkit be asked on its behalf? It knows users, not containers.
    bool may_be_vouched_for() const { return !container && !vouched; }
};

}  // namespace cmk
