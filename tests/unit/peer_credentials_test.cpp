// SPDX-License-Identifier: Apache-2.0
#include "agent/peer_credentials.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/cgroup_mounts.h"
#include "agent/processes_kernel.h"
#include "support/fake_cgroups.h"
#include "support/fake_processes.h"

namespace cmk {
namespace {

TEST(IdentityPath, IsThatOfCgroup2) {
    EXPECT_EQ(identity_path("0::/system.slice/a.service\n"), "/system.slice/a.service");
    EXPECT_EQ(identity_path("12:cpuset:/x\n1:name=systemd:/b\n0::/a\n"), "/a");
    EXPECT_EQ(identity_path("0::/a\n1:name=systemd:/b\n"), "/a");
}

TEST(IdentityPath, IsSystemdsWhereCgroup2SaysNothing) {
    EXPECT_EQ(identity_path("12:cpuset:/x\n1:name=systemd:/docker/1\n0::/\n"), "/docker/1");
    EXPECT_EQ(identity_path("0::/\n1:name=systemd:/docker/1\n"), "/docker/1");
    EXPECT_EQ(identity_path("1:name=systemd:/docker/1"), "/docker/1");
}

TEST(IdentityPath, IsTheTopWhereNothingIsSaid) {
    for (const char* text :
         {"", "\n", "0::/\n", "nonsense", "5:cpuset:/docker/1\n", "0::", ":/x\n"})
        EXPECT_EQ(identity_path(text), "/") << text;
}

TEST(IdentityPath, KeepsWhateverIsInThePath) {
    EXPECT_EQ(identity_path("0::/a:/b c\n"), "/a:/b c");
    EXPECT_EQ(identity_path("0::/../../docker-1.scope\n"), "/../../docker-1.scope");
}

class PeerCredentialsTest : public ::testing::Test {
protected:
    Peer described(int pid, const std::string& cgroup, unsigned depth = 1) {
        processes_.add(pid, 1000, cgroup);
        processes_.info(pid).pid_namespace_depth = depth;
        Peer peer;
        peer.pidfd = processes_.pidfd(pid);
        EXPECT_TRUE(describe_peer(peer, processes_, cgroups_));
        return peer;
    }

    FakeProcesses processes_;
    FakeCgroups cgroups_{[this](int pid) { return processes_.is_running(pid); }};
};

TEST_F(PeerCredentialsTest, APeerIsDescribedByItsProcess) {
    const Peer peer = described(100, "/user.slice/session-1.scope");
    EXPECT_EQ(peer.process.pid, 100);
    EXPECT_EQ(peer.cgroup, "/user.slice/session-1.scope");
    EXPECT_FALSE(peer.container);
}

TEST_F(PeerCredentialsTest, AContainerIsKnownByItsCgroupOrItsNamespace) {
    EXPECT_TRUE(described(100, "/docker/0123456789abcdef").container);
    EXPECT_TRUE(described(101, "/user.slice/session-1.scope", 2).container);
}

TEST_F(PeerCredentialsTest, AContainerThatSharesTheHostsNamespaceIsKnownByItsBounds) {
    EXPECT_FALSE(described(100, "/k8s.io/db").container);
    processes_.info(100).confined = true;
    Peer peer;
    peer.pidfd = processes_.pidfd(100);
    ASSERT_TRUE(describe_peer(peer, processes_, cgroups_));
    EXPECT_TRUE(peer.container);
    EXPECT_EQ(peer.identity.pod, "k8s.io/db");
}

TEST_F(PeerCredentialsTest, AnEndedPeerIsNotDescribed) {
    Peer peer = described(100, "/");
    processes_.end(100);
    const Status again = describe_peer(peer, processes_, cgroups_);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::unavailable);
}

TEST_F(PeerCredentialsTest, APeersOwnPidfdIsAccepted) {
    Peer peer = described(100, "/");
    EXPECT_TRUE(accept_own_pidfd(peer, processes_.pidfd(100), processes_));
}

TEST_F(PeerCredentialsTest, ThePidfdOfAnotherProcessIsRefusedWithBothIds) {
    Peer peer = described(100, "/");
    processes_.add(200, 0);
    const Status refused = accept_own_pidfd(peer, processes_.pidfd(200), processes_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_permitted);
    EXPECT_EQ(refused.error().message,
              "the pidfd is of process 200, but process 100 is connected: a process leases for "
              "itself only");
    EXPECT_EQ(accept_own_pidfd(peer, UniqueFd(::dup(STDIN_FILENO)), processes_).error().code,
              Errc::invalid_argument);
    EXPECT_FALSE(accept_own_pidfd(peer, UniqueFd(), processes_));
}

TEST_F(PeerCredentialsTest, TheOtherEndOfASocketIsNamedByTheKernel) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const UniqueFd ours(ends[0]);
    const UniqueFd theirs(ends[1]);
    ProcessesKernel processes;
    const auto peer = identify_socket_peer(ours.get(), processes, cgroups_);
    ASSERT_TRUE(peer) << peer.error().message;
    EXPECT_EQ(peer->process.pid, ::getpid());
    EXPECT_EQ(peer->uid, ::getuid());
    ASSERT_FALSE(peer->groups.empty());
    EXPECT_EQ(peer->groups.front(), ::getgid());
    EXPECT_TRUE(peer->pidfd);
    EXPECT_FALSE(identify_socket_peer(STDIN_FILENO + 1000, processes, cgroups_));
}

TEST(CgroupMounts, AffinityNeedsNoHierarchy) {
    const auto mount = find_cpuset_mount(CgroupBackend::affinity);
    ASSERT_TRUE(mount);
    EXPECT_EQ(mount->version, CpusetMount::Version::none);
    EXPECT_EQ(mount->path, "");
    EXPECT_EQ(mount->why, "the configuration asks for affinity");
}

TEST(CgroupMounts, WhatIsAskedForByNameIsFoundOrRefused) {
    const auto any = find_cpuset_mount(CgroupBackend::automatic);
    ASSERT_TRUE(any) << any.error().message;
    EXPECT_EQ(any->path.empty(), any->version == CpusetMount::Version::none);
    EXPECT_EQ(any->why.empty(), any->version != CpusetMount::Version::none);
    for (const auto& [backend, version] :
         {std::pair(CgroupBackend::v1, CpusetMount::Version::v1),
          std::pair(CgroupBackend::v2, CpusetMount::Version::v2)}) {
        const auto mount = find_cpuset_mount(backend);
        EXPECT_EQ(mount.has_value(), any->version == version);
        if (mount) {
            EXPECT_EQ(mount->path, any->path);
        } else {
            EXPECT_EQ(mount.error().code, Errc::unavailable);
            EXPECT_NE(mount.error().message.find("set backend = \"auto\""), std::string::npos);
        }
    }
}

}  // namespace
}  // namespace cmk
