// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "k8s/cluster/cluster.h"
#include "k8s/cluster/uninstall_options.h"

namespace cmk::k8s {

/// The node's own part, or nothing where it is left to somebody else.
struct HostPart {
    std::function<Result<std::vector<std::string>>()> users = {};
    std::function<Status()> remove = {};
};

/// What is taken back, and where.
struct Uninstall {
    const Cluster& cluster;
    UninstallOptions options = {};
    std::string node = {};  ///< where not all are meant
    std::string report_namespace = "default";
    HostPart host = {};
};

/// Takes a node out of CMK again, or with --cluster all of them: pods and DaemonSets first, and
/// their leases waited for; then reports, resources and taint, the host's pools and program, the
/// webhook where no other node needs it, and the label last. Refused while others use the pools,
/// unless --force; without a host part the node's report tells, before anything is removed.
/// Everything may already be gone: after any failure it can be run again. Errors: conflict naming
/// who uses the pools; as refusal().
Status uninstall(const Uninstall& removal);

}  // namespace cmk::k8s
