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

}  // namespace
}  // namespace cmk
