// SPDX-License-Identifier: Apache-2.0
#include "core/caller.h"

#include <gtest/gtest.h>

namespace cmk {
namespace {

constexpr char kId[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A path with the container's id for each '*'.
std::string path_of(std::string pattern) {
    for (std::size_t at = 0; (at = pattern.find('*', at)) != std::string::npos;)
        pattern.replace(at, 1, kId);
    return pattern;
}

CallerKind kind_of(const std::string& cgroup, bool main_pid_alone = false) {
    return classify_caller({.cgroup = cgroup, .main_pid_alone = main_pid_alone});
}

TEST(Caller, ContainersAreKnownByTheirCgroup) {
    for (const char* pattern :
         {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/"
          "cri-containerd-*.scope",
          "/kubepods.slice/kubepods-pod1_2.slice/crio-*.scope", "/kubepods/burstable/pod1-2/*",
          "/kubepods/besteffort/pod1-2/*/init.scope",
          "/system.slice/kubepods-besteffort-pod1.slice:cri-containerd:*",
          "/system.slice/docker-*.scope", "/docker/*", "/docker/*/system.slice/inner.service",
          "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-*.scope",
          "/machine.slice/libpod-*.scope", "/machine.slice/libpod-*.scope/container",
          "/libpod_parent/libpod-*",
          "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-*.scope",
          "/system.slice/crio-*.scope", "/system.slice/cri-containerd-*.scope",
          "/system.slice/nerdctl-*.scope",
          "/machine.slice/libpod-*.scope/system.slice/sshd.service"}) {
        EXPECT_EQ(kind_of(path_of(pattern)), CallerKind::container) << pattern;
        EXPECT_EQ(kind_of(path_of(pattern), true), CallerKind::container) << pattern;
    }
}

TEST(Caller, RuntimesAndTheirMonitorsAreOnTheHost) {
    for (const char* pattern :
         {"/system.slice/docker.service", "/system.slice/docker.socket", "/docker", "/docker/",
          "/system.slice/containerd.service", "/system.slice/crio.service",
          "/system.slice/cri-containerd-helper.service", "/system.slice/docker-proxy.service",
          "/machine.slice/libpod-conmon-*.scope", "/system.slice/crio-conmon-*.scope",
          "/system.slice/podman.service", "/user.slice/user-0.slice/session-docker.scope"}) {
        EXPECT_EQ(kind_of(path_of(pattern)), CallerKind::host) << pattern;
    }
}

TEST(Caller, SessionsAreTheHost) {
    for (const char* path :
         {"", "/", "/init.scope", "/user.slice/user-1000.slice/session-3.scope",
          "/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome.scope",
          "/system.slice/cron.service"}) {
        EXPECT_EQ(kind_of(path), CallerKind::host) << path;
    }
}

TEST(Caller, AServiceIsItsUnitsMainProcessAlone) {
    EXPECT_EQ(kind_of("/system.slice/database.service", true), CallerKind::service);
    EXPECT_EQ(kind_of("/system.slice/system-db.slice/db@1.service", true), CallerKind::service);
    EXPECT_EQ(kind_of("/system.slice/database.service", false), CallerKind::host);
    EXPECT_EQ(kind_of("/user.slice/session-3.scope", true), CallerKind::host);
    EXPECT_EQ(kind_of("/user.slice/user-1000.slice/user@1000.service/app.slice/a.service", true),
              CallerKind::host);
}

TEST(Caller, OneNamespaceDeeperIsAContainerWhereverItSits) {
    for (const char* path :
         {"/", "/user.slice/session-3.scope", "/system.slice/database.service"}) {
        const CallerFacts inside{.cgroup = path, .pid_namespace_depth = 2, .main_pid_alone = true};
        EXPECT_EQ(classify_caller(inside), CallerKind::container) << path;
    }
}

TEST(Caller, ConfinedOutsideOfAllUnitsIsAContainer) {
    for (const char* path : {"/k8s.io/db", "/default/db/init", "/lxc.payload.db",
                             "/system.slice/runc-db.scope", "/user.slice/crun-db.scope"}) {
        CallerFacts facts{.cgroup = path, .main_pid_alone = true};
        EXPECT_EQ(classify_caller(facts), CallerKind::host) << path;
        facts.confined = true;
        EXPECT_EQ(classify_caller(facts), CallerKind::container) << path;
    }
}

TEST(Caller, AConfinedUnitIsOnTheHost) {
    CallerFacts facts{
        .cgroup = "/system.slice/database.service", .confined = true, .main_pid_alone = true};
    EXPECT_EQ(classify_caller(facts), CallerKind::service);
    facts.main_pid_alone = false;
    EXPECT_EQ(classify_caller(facts), CallerKind::host);
    for (const char* path : {"", "/", "/init.scope", "/user.slice/session-3.scope",
                             "/user.slice/user-1000.slice/user@1000.service/app.slice/a.scope",
                             "/system.slice/runc-helper.service"}) {
        facts.cgroup = path;
        EXPECT_EQ(classify_caller(facts), CallerKind::host) << path;
    }
}

std::string pod_at(const char* path) {
    return identify_caller(path, CallerKind::container).pod;
}

TEST(Caller, PodsAreKnownByTheirUid) {
    const std::string uid = "1f3c9a2e-0b1d-4c5e-8f6a-7b8c9d0e1f2a";
    EXPECT_EQ(pod_at("/kubepods.slice/kubepods-besteffort.slice/"
                     "kubepods-besteffort-pod1f3c9a2e_0b1d_4c5e_8f6a_7b8c9d0e1f2a.slice/"
                     "cri-containerd-0123abcd.scope"),
              uid);
    EXPECT_EQ(pod_at("/kubepods.slice/kubepods-pod1f3c9a2e_0b1d_4c5e_8f6a_7b8c9d0e1f2a.slice/"
                     "crio-0123abcd.scope/container/cmk-0123abcd"),
              uid);
    EXPECT_EQ(pod_at(("/kubepods/burstable/pod" + uid + "/0123abcd").c_str()), uid);
    EXPECT_EQ(pod_at(("/kubepods/pod" + uid + "/0123abcd").c_str()), uid);
}

TEST(Caller, ContainersWithoutAPodAreKnownByTheirId) {
    EXPECT_EQ(pod_at("/machine.slice/libpod-0123abcd.scope/container"), "0123abcd");
    EXPECT_EQ(pod_at("/system.slice/docker-0123abcd.scope"), "0123abcd");
    EXPECT_EQ(pod_at("/docker/0123abcd"), "0123abcd");
    EXPECT_EQ(pod_at("/system.slice/nerdctl-0123abcd.scope"), "0123abcd");
    EXPECT_EQ(identify_caller("/docker/0123abcd", CallerKind::host).pod, "");
}

TEST(Caller, ContainersWithoutAnIdAreKnownByTheirGroup) {
    EXPECT_EQ(pod_at("/k8s.io/db"), "k8s.io/db");
    EXPECT_EQ(pod_at("/k8s.io/db/cmk-0123abcd"), "k8s.io/db");
    EXPECT_EQ(pod_at("/user.slice/session-3.scope"), "user.slice/session-3.scope");
    EXPECT_EQ(pod_at("/"), "");
    EXPECT_EQ(identify_caller("/k8s.io/db", CallerKind::host).pod, "");
}

TEST(Caller, TheUnitIsTheInnermostOne) {
    const auto unit = [](const char* path) { return identify_caller(path, CallerKind::host).unit; };
    EXPECT_EQ(unit("/system.slice/system-db.slice/db@1.service"), "db@1.service");
    EXPECT_EQ(unit("/system.slice/db.service/workers"), "db.service");
    EXPECT_EQ(unit("/user.slice/user-1000.slice/session-3.scope"), "session-3.scope");
    EXPECT_EQ(unit("/user.slice/user-1000.slice/user@1000.service/app.slice/a.service"),
              "a.service");
    EXPECT_EQ(unit("/"), "");
}

TEST(Caller, GroupsOfLeasesAreNoGroupsOfContainers) {
    EXPECT_EQ(container_group("a.scope/container/cmk-0123abcd"), "a.scope/container");
    EXPECT_EQ(container_group("a.scope/cmk-0123abcd/cmk-4567abcd"), "a.scope");
    for (const char* other : {"", "/", "pod1/cmk-web", "pod1/cmk-0123abcde", "pod1/cmk-0123ABCD",
                              "a.slice/cmk-agent.service", "cmk-0123abcd"})
        EXPECT_EQ(container_group(other), other);
}

}  // namespace
}  // namespace cmk
