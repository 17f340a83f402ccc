// SPDX-License-Identifier: Apache-2.0
#include "agent/authorizer.h"

#include <grp.h>
#include <gtest/gtest.h>

namespace cmk {
namespace {

constexpr unsigned kDaemon = 1;  // uid and gid of "daemon" on every Linux
constexpr unsigned kSomebody = 54321;

Pool pool_for(std::vector<std::string> users, std::vector<std::string> groups,
              bool containers = true) {
    Pool pool;
    pool.spec.name = "exclusive";
    pool.spec.access = {std::move(users), std::move(groups), containers};
    return pool;
}

Peer host_peer(unsigned uid, std::vector<unsigned> groups = {}) {
    Peer peer;
    peer.uid = uid;
    peer.groups = std::move(groups);
    return peer;
}

Peer container_peer(const std::string& cgroup) {
    Peer peer;
    peer.container = true;
    peer.cgroup = cgroup;
    return peer;
}

Lease lease_of(unsigned uid, bool container = false, const std::string& cgroup = "/") {
    Lease lease;
    lease.id = "l1";
    lease.owner.uid = uid;
    lease.owner.container = container;
    lease.owner.cgroup = cgroup;
    return lease;
}

TEST(Authorizer, RootMayLeaseFromEveryPool) {
    Authorizer authorizer;
    const Pool pool = pool_for({}, {}, false);
    authorizer.set_pools({pool});
    EXPECT_TRUE(authorizer.may_lease(host_peer(0), pool));
}

TEST(Authorizer, OthersNeedAUserOrGroupOfThePool) {
    Authorizer authorizer;
    const std::string group = ::getgrgid(kDaemon)->gr_name;
    const Pool pool = pool_for({"daemon"}, {group});
    EXPECT_TRUE(authorizer.set_pools({pool}).empty());
    EXPECT_TRUE(authorizer.may_lease(host_peer(kDaemon), pool));
    EXPECT_TRUE(authorizer.may_lease(host_peer(kSomebody, {5, kDaemon}), pool));
    EXPECT_FALSE(authorizer.may_lease(host_peer(kSomebody, {5}), pool));
}

TEST(Authorizer, RefusalSaysWhoMay) {
    Authorizer authorizer;
    const Pool pool = pool_for({"daemon"}, {});
    authorizer.set_pools({pool});
    const Status refused = authorizer.may_lease(host_peer(kSomebody), pool);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_permitted);
    EXPECT_NE(refused.error().message.find("user daemon"), std::string::npos);
}

TEST(Authorizer, UnknownNamesAreWarnedAboutAndGrantNothing) {
    Authorizer authorizer;
    const Pool pool = pool_for({"nobody-of-that-name"}, {"no-group-of-that-name"});
    EXPECT_EQ(authorizer.set_pools({pool}).size(), 2U);
    EXPECT_FALSE(authorizer.may_lease(host_peer(kSomebody, {kSomebody}), pool));
}

TEST(Authorizer, ListsOfAnEarlierConfigurationEnd) {
    Authorizer authorizer;
    const Pool before = pool_for({"daemon"}, {});
    const Pool after = pool_for({}, {});
    authorizer.set_pools({before});
    authorizer.set_pools({after});
    EXPECT_FALSE(authorizer.may_lease(host_peer(kDaemon), after));
}

TEST(Authorizer, UidOfAContainerGrantsNothing) {
    Authorizer authorizer;
    const Pool open = pool_for({}, {});
    const Pool closed = pool_for({}, {}, false);
    authorizer.set_pools({open});
    const Peer root_inside = container_peer("/kubepods/a");
    EXPECT_TRUE(authorizer.may_lease(root_inside, open));
    EXPECT_FALSE(authorizer.may_lease(root_inside, closed));
    EXPECT_FALSE(authorizer.may_administer(root_inside));
}

TEST(Authorizer, ReleaseIsForTheOwnerAndRoot) {
    const Authorizer authorizer;
    EXPECT_TRUE(authorizer.may_release(host_peer(0), lease_of(1000)));
    EXPECT_TRUE(authorizer.may_release(host_peer(1000), lease_of(1000)));
    EXPECT_FALSE(authorizer.may_release(host_peer(1001), lease_of(1000)));
    // The uid inside a container is another's outside.
    EXPECT_FALSE(authorizer.may_release(host_peer(1000), lease_of(1000, true, "/pod")));
    EXPECT_TRUE(authorizer.may_release(host_peer(0), lease_of(1000, true, "/pod")));
}

TEST(Authorizer, AContainerSeesAndEndsItsOwnLeasesAlone) {
    const Authorizer authorizer;
    const Peer container = container_peer("/pod-a");
    EXPECT_TRUE(authorizer.may_see(container, lease_of(0, true, "/pod-a")));
    EXPECT_TRUE(authorizer.may_release(container, lease_of(0, true, "/pod-a")));
    for (const Lease& other : {lease_of(0, true, "/pod-b"), lease_of(0, false, "/pod-a")}) {
        EXPECT_FALSE(authorizer.may_see(container, other));
        EXPECT_FALSE(authorizer.may_release(container, other));
    }
}

/// What a container may do, by the socket that it came by.
TEST(Authorizer, SocketsAreThePrivilegeOfContainers) {
    struct Row {
        SocketRole role;
        bool leases_closed_pool, sees_own, sees_other, ends_own, ends_other, administers;
    };
    static constexpr Row kRows[] = {
        {SocketRole::lease, false, true, false, true, false, false},
        {SocketRole::observe, false, true, true, true, false, false},
        {SocketRole::admin, true, true, true, true, true, true},
    };
    Authorizer authorizer;
    const Pool closed = pool_for({}, {}, false);
    authorizer.set_pools({closed});
    const Lease own = lease_of(0, true, "/pod-a");
    for (const Row& row : kRows) {
        Peer peer = container_peer("/pod-a");
        peer.role = row.role;
        const std::string what = "role " + std::to_string(static_cast<int>(row.role));
        EXPECT_TRUE(authorizer.may_lease(peer, pool_for({}, {}))) << what;
        EXPECT_EQ(bool(authorizer.may_lease(peer, closed)), row.leases_closed_pool) << what;
        EXPECT_EQ(authorizer.may_see(peer, own), row.sees_own) << what;
        EXPECT_EQ(bool(authorizer.may_release(peer, own)), row.ends_own) << what;
        for (const Lease& other : {lease_of(0, true, "/pod-b"), lease_of(0)}) {
            EXPECT_EQ(authorizer.may_see(peer, other), row.sees_other) << what;
            EXPECT_EQ(bool(authorizer.may_release(peer, other)), row.ends_other) << what;
        }
        EXPECT_EQ(bool(authorizer.may_administer(peer)), row.administers) << what;
    }
}

TEST(Authorizer, AHostCallerIsTheSameAtEverySocket) {
    Authorizer authorizer;
    const Pool pool = pool_for({"daemon"}, {});
    authorizer.set_pools({pool});
    for (const SocketRole role : {SocketRole::lease, SocketRole::observe, SocketRole::admin}) {
        Peer root = host_peer(0);
        Peer user = host_peer(kSomebody);
        root.role = user.role = role;
        EXPECT_TRUE(authorizer.may_administer(root));
        EXPECT_FALSE(authorizer.may_administer(user));
        EXPECT_FALSE(authorizer.may_lease(user, pool));
        EXPECT_FALSE(authorizer.may_release(user, lease_of(0)));
        EXPECT_TRUE(authorizer.may_see(user, lease_of(0)));
    }
}

TEST(Authorizer, PolkitVouchesForHostCallersAlone) {
    Authorizer authorizer;
    const Pool closed = pool_for({}, {}, false);
    authorizer.set_pools({closed});
    for (const bool contained : {false, true}) {
        Peer peer = contained ? container_peer("/pod") : host_peer(kSomebody);
        EXPECT_EQ(peer.may_be_vouched_for(), !contained);
        peer.vouched = true;
        EXPECT_FALSE(peer.may_be_vouched_for());
        EXPECT_EQ(bool(authorizer.may_lease(peer, closed)), !contained);
        EXPECT_EQ(bool(authorizer.may_release(peer, lease_of(0))), !contained);
        EXPECT_EQ(bool(authorizer.may_administer(peer)), !contained);
    }
}

TEST(Authorizer, AdministeringIsForRootOnTheHost) {
    const Authorizer authorizer;
    EXPECT_TRUE(authorizer.may_administer(host_peer(0)));
    EXPECT_FALSE(authorizer.may_administer(host_peer(1000, {0})));
}

TEST(Authorizer, NamesUsers) {
    EXPECT_EQ(user_name(0), "root");
    EXPECT_EQ(user_name(kSomebody), "");
}

TEST(Authorizer, APoolMayNameUnitsAndPods) {
    Authorizer authorizer;
    Pool pool = pool_for({}, {});
    pool.spec.access.units = {"trading-*.service"};
    pool.spec.access.pods = {"1f3c*"};
    authorizer.set_pools({pool});
    Peer peer = host_peer(kSomebody);
    EXPECT_FALSE(authorizer.may_lease(peer, pool));
    peer.identity.unit = "trading-eu.service";
    EXPECT_TRUE(authorizer.may_lease(peer, pool));
    Peer pod = container_peer("/a");
    pod.identity = {.unit = "trading-eu.service", .pod = "2222"};
    const Status refused = authorizer.may_lease(pod, pool);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("allow_pods"), std::string::npos);
    pod.identity.pod = "1f3c-1";
    EXPECT_TRUE(authorizer.may_lease(pod, pool));
}

TEST(Authorizer, QuotasBoundUsersAndPodsButNotRoot) {
    Pool pool = pool_for({}, {});
    pool.spec.kind = PoolKind::exclusive;
    pool.spec.access.cores_per_user = 2;
    pool.spec.access.cores_per_pod = 1;
    const Peer user = host_peer(kSomebody);
    EXPECT_FALSE(Authorizer::has_quota(host_peer(0), pool));
    ASSERT_TRUE(Authorizer::has_quota(user, pool));
    EXPECT_TRUE(Authorizer::check_quota(user, pool, 1, 1));
    const Status refused = Authorizer::check_quota(user, pool, 1, 2);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("cores_per_user"), std::string::npos);
    Peer pod = container_peer("/a");
    pod.identity.pod = "p1";
    EXPECT_FALSE(Authorizer::check_quota(pod, pool, 1, 1));
    Lease lease = lease_of(kSomebody);
    EXPECT_TRUE(Authorizer::counts_for(user, lease));
    EXPECT_FALSE(Authorizer::counts_for(pod, lease));
    lease.owner.container = true;
    lease.owner.pod = "p1";
    EXPECT_TRUE(Authorizer::counts_for(pod, lease));
    pool.spec.kind = PoolKind::shared;
    EXPECT_FALSE(Authorizer::has_quota(user, pool));
}

TEST(Authorizer, AnIsolatedProgramOfAContainerStillOwnsTheContainersLeases) {
    const Lease lease = lease_of(0, true, "/pod/container");
    const Peer inside = container_peer("/pod/container/cmk-0123abcd");
    EXPECT_TRUE(Authorizer().may_release(inside, lease));
    EXPECT_TRUE(Authorizer().may_see(inside, lease));
    EXPECT_FALSE(Authorizer().may_see(container_peer("/pod/other"), lease));
}

}  // namespace
}  // namespace cmk
