// SPDX-License-Identifier: Apache-2.0
#pragma once

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
    bool main_pid_alone = false;       ///< it is its unit's MainPID and the only process there
};

/// Container: a known container's leaf (libpod, docker, crio, cri-containerd, kubepods) on the
/// path, or more than one PID namespace deep. Else service if the unit's main process is alone in
/// a ".service" cgroup, else host.
CallerKind classify_caller(const CallerFacts& facts);

}  // namespace cmk
