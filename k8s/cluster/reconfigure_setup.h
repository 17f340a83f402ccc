// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "k8s/cluster/cluster.h"
#include "k8s/cluster/init_options.h"

namespace cmk::k8s {

/// Divides the cores of all nodes with our label anew, as the original's reconfigure_setup: a Pod
/// on each runs `cmk reconfigure`, which only agents can. Leases that the new pools fit stay; a
/// node that has others refuses, and keeps the other nodes from nothing. The table at the end names
/// it. Errors: invalid_argument, not_permitted before anything has changed; unavailable when no
/// node has the label, a node failed, or the server does not answer.
Status reconfigure_setup(const Cluster& cluster, const InitOptions& options);

}  // namespace cmk::k8s
