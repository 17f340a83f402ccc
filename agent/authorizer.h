// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/peer.h"
#include "base/result.h"
#include "core/pool.h"

namespace cmk {

/// Decides who may do what: on the host by uid and groups, in a container by the socket that it
/// came by, which somebody on the host had to mount there. On the host polkit may have vouched for
/// the request, which then counts as root's. Users and groups named by the pools are
/// looked up once, when the pools change: a request costs no name lookup. Errors: not_permitted,
/// saying who may.
class Authorizer {
public:
    /// Returns warnings for names that no user or group has.
    std::vector<std::string> set_pools(const std::vector<Pool>& pools);

    /// May the peer lease from the pool for itself?
    Status may_lease(const Peer& peer, const Pool& pool) const;
    /// Is the number of cores bounded that the peer may hold of the pool? Root, and containers at
    /// the admin socket, are not bounded.
    static bool has_quota(const Peer& peer, const Pool& pool);
    /// Does the lease count for the peer: its user's on the host, its pod's in a container?
    static bool counts_for(const Peer& peer, const Lease& lease);
    /// May it have `wanted` cores besides the `held` ones that count for it?
    static Status check_quota(const Peer& peer, const Pool& pool, unsigned held, unsigned wanted);
    /// May it lease for another process than itself? Root on the host.
    Status may_lease_for_others(const Peer& peer) const;
    /// May it end this lease? Root on the host, the same user on the host, the same container, or
    /// a container at the admin socket.
    Status may_release(const Peer& peer, const Lease& lease) const;
    /// May it see this lease? Everyone on the host; a container only its own, unless it came by
    /// another socket than the lease socket.
    /// All leases, and what is wrong with the host.
    bool may_see_host(const Peer& peer) const;
    bool may_see(const Peer& peer, const Lease& lease) const;
    /// May it change pools, reload or repair? Root on the host, or a container at the admin socket.
    Status may_administer(const Peer& peer) const;

private:
    static Status may_contained(const Peer& peer, const Pool& pool);

    struct Allowed {
        std::vector<unsigned> users;
        std::vector<unsigned> groups;
    };
    std::map<std::string, Allowed, std::less<>> allowed_;
};

/// The name of a user, or "" when it has none. Looked up once per uid.
const std::string& user_name(unsigned uid);

}  // namespace cmk
