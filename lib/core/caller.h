// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace cmk {

enum class CallerKind {
    host,       ///< session, user service, cron job, ...
    service,    ///< a systemd service's main process, alone in its cgroup
    container,  ///< its uid says nothing about the host, 0 included
};

/// What the kernel tells about a process, for classifying it.
struct CallerFacts {
    std::string_view cgroup;           ///< path in the v2 or systemd hierarchy, "/a/b.scope"
    unsigned pid_namespace_depth = 1;  ///< number of ids in /proc/PID/status NSpid
    bool confined = false;             ///< it can never have some capability that PID 1 may have
    bool main_pid_alone = false;       ///< it is its unit's MainPID and the only process there
};

/// Container: a known container's leaf (libpod, docker, crio, cri-containerd, nerdctl, kubepods)
/// on the path, or more than one PID namespace deep, or confined in a group that no systemd unit
/// has made, as a runtime's own is ("/k8s.io/NAME" of ctr, "runc-NAME.scope"). Else service if the
/// unit's main process is alone in a ".service" cgroup, else host.
CallerKind classify_caller(const CallerFacts& facts);

/// What a caller's cgroup path tells of it.
struct CallerIdentity {
    std::string unit = {};  ///< the innermost systemd unit: "db.service", "session-1.scope"
    /// In a container: the pod's UID or, where there is no pod, the container's id; the whole path
    /// where it has neither, without the first '/'.
    std::string pod = {};

    friend bool operator==(const CallerIdentity&, const CallerIdentity&) = default;
};

/// Reads paths of runc, crun, podman, docker, containerd and CRI-O, under kubelet's two drivers.
CallerIdentity identify_caller(std::string_view cgroup, CallerKind kind);

/// What a lease in place calls its group, before the lease's id.
inline constexpr char kPlacedPrefix[] = "cmk-";

/// The group of a container: the path without the groups that leases in place have made below it,
/// which are known by the prefix and the eight hexadecimal digits of a lease's id.
std::string container_group(std::string cgroup);

}  // namespace cmk
