// SPDX-License-Identifier: Apache-2.0
#include "agent/authorizer.h"

#include <fnmatch.h>
#include <grp.h>
#include <pwd.h>

#include <algorithm>

#include "base/text.h"

namespace cmk {

namespace {

bool contains(const std::vector<unsigned>& list, unsigned id) {
    return std::find(list.begin(), list.end(), id) != list.end();
}

/// Leases in place have moved their owners one group down.
bool is_own(const Peer& container, const Lease& lease) {
    return lease.owner.container &&
           container_group(lease.owner.cgroup) == container_group(container.cgroup);
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& name) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
        return !name.empty() && ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
    });
}

bool is_contained_admin(const Peer& peer) {
    return peer.container && peer.role == SocketRole::admin;
}

/// Root on the host, or as good as.
bool is_host_admin(const Peer& peer) {
    return !peer.container && (peer.uid == 0 || peer.vouched);
}

std::string who_may(const Pool& pool) {
    std::vector<std::string> names{"root"};
    for (const std::string& user : pool.spec.access.users)
        names.push_back("user " + user);
    for (const std::string& group : pool.spec.access.groups)
        names.push_back("group " + group);
    for (const std::string& unit : pool.spec.access.units)
        names.push_back("unit " + unit);
    return join(names, ", ");
}

}  // namespace

std::vector<std::string> Authorizer::set_pools(const std::vector<Pool>& pools) {
    std::vector<std::string> warnings;
    allowed_.clear();
    for (const Pool& pool : pools) {
        Allowed& allowed = allowed_[pool.spec.name];
        for (const std::string& name : pool.spec.access.users) {
            const passwd* user = ::getpwnam(name.c_str());
            if (user != nullptr) allowed.users.push_back(user->pw_uid);
            if (user == nullptr) {
                warnings.push_back("Pool " + pool.spec.name + " allows user " + quote(name) +
                                   ", but there is no such user.");
            }
        }
        for (const std::string& name : pool.spec.access.groups) {
            const group* found = ::getgrnam(name.c_str());
            if (found != nullptr) allowed.groups.push_back(found->gr_gid);
            if (found == nullptr) {
                warnings.push_back("Pool " + pool.spec.name + " allows group " + quote(name) +
                                   ", but there is no such group.");
            }
        }
    }
    return warnings;
}

Status Authorizer::may_contained(const Peer& peer, const Pool& pool) {
    const PoolAccess& access = pool.spec.access;
    if (is_contained_admin(peer)) return {};
    if (!access.containers) {
        return make_error(Errc::not_permitted, "pool " + pool.spec.name +
                                                   " is closed to containers; set "
                                                   "allow_containers = true for it");
    }
    if (access.pods.empty() || matches_any(access.pods, peer.identity.pod)) return {};
    return make_error(Errc::not_permitted,
                      "pool " + pool.spec.name + " is not for pod or container " +
                          quote(peer.identity.pod) + "; " + join(access.pods, ", ") +
                          " may (allow_pods of the pool)");
}

Status Authorizer::may_lease(const Peer& peer, const Pool& pool) const {
    if (peer.container) return may_contained(peer, pool);
    if (is_host_admin(peer) || matches_any(pool.spec.access.units, peer.identity.unit)) return {};
    const auto at = allowed_.find(pool.spec.name);
    const bool listed = at != allowed_.end() &&
                        (contains(at->second.users, peer.uid) ||
                         std::any_of(peer.groups.begin(), peer.groups.end(),
                                     [&](unsigned id) { return contains(at->second.groups, id); }));
    if (listed) return {};
    return make_error(Errc::not_permitted,
                      "uid " + std::to_string(peer.uid) + " may not lease from pool " +
                          pool.spec.name + "; " + who_may(pool) +
                          " may (allow_users, allow_groups, allow_units of the pool)");
}

Status Authorizer::check_quota(const Peer& peer, const Pool& pool, unsigned held, unsigned wanted) {
    const PoolAccess& access = pool.spec.access;
    const unsigned bound = peer.container ? access.cores_per_pod : access.cores_per_user;
    if (!has_quota(peer, pool) || std::uint64_t{held} + wanted <= bound) return {};
    const std::string who = peer.container ? "pod or container " + quote(peer.identity.pod)
                                           : "uid " + std::to_string(peer.uid);
    return make_error(Errc::not_permitted,
                      who + " holds " + counted(held, "core", "cores") + " of pool " +
                          pool.spec.name + " and may hold " + std::to_string(bound) +
                          " at once, so not " + std::to_string(wanted) + " more (" +
                          (peer.container ? "cores_per_pod" : "cores_per_user") + " of the pool)");
}

bool Authorizer::has_quota(const Peer& peer, const Pool& pool) {
    if (pool.spec.kind != PoolKind::exclusive) return false;
    if (peer.container) {
        return pool.spec.access.cores_per_pod != 0 && !is_contained_admin(peer);
    }
    return pool.spec.access.cores_per_user != 0 && !is_host_admin(peer);
}

bool Authorizer::counts_for(const Peer& peer, const Lease& lease) {
    if (peer.container != lease.owner.container) return false;
    return peer.container ? lease.owner.pod == peer.identity.pod : lease.owner.uid == peer.uid;
}

Status Authorizer::may_lease_for_others(const Peer& peer) const {
    if (is_host_admin(peer)) return {};
    return make_error(Errc::not_permitted,
                      "only root on the host may isolate another process; a process isolates "
                      "itself with Isolate");
}

bool Authorizer::may_see_host(const Peer& peer) const {
    return !peer.container || peer.role != SocketRole::lease;
}

bool Authorizer::may_see(const Peer& peer, const Lease& lease) const {
    return may_see_host(peer) || is_own(peer, lease);
}

Status Authorizer::may_release(const Peer& peer, const Lease& lease) const {
    const bool own = peer.container ? is_own(peer, lease)
                                    : !lease.owner.container && lease.owner.uid == peer.uid;
    if (own || is_host_admin(peer) || is_contained_admin(peer)) return {};
    return make_error(Errc::not_permitted,
                      "lease " + lease.id + " is not yours; its owner and root may end it");
}

Status Authorizer::may_administer(const Peer& peer) const {
    if (is_host_admin(peer) || is_contained_admin(peer)) return {};
    return make_error(Errc::not_permitted,
                      peer.container ? "this is for root on the host, and for containers that were "
                                       "given the admin socket (/run/cmk-admin)"
                                     : "this is for root; try again with sudo");
}

const std::string& user_name(unsigned uid) {
    static std::map<unsigned, std::string> names;
    const auto [at, is_new] = names.try_emplace(uid);
    if (is_new) {
        const passwd* user = ::getpwuid(uid);
        if (user != nullptr) at->second = user->pw_name;
    }
    return at->second;
}

}  // namespace cmk
