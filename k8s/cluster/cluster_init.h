// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "k8s/cluster/cluster.h"
#include "k8s/cluster/init_options.h"

namespace cmk::k8s {

/// Prepares nodes as the original's cluster-init: on each first the one-shot commands, then the
/// daemons, and from Kubernetes 1.9 on the webhook. What is there already is kept where it says the
/// same, so that it can be run again after any failure. Nodes that fail keep the others from
/// nothing; the table at the end names them. Errors: invalid_argument, not_permitted before
/// anything has changed; unavailable when a node failed or the server does not answer.
Status cluster_init(const Cluster& cluster, const InitOptions& options);

}  // namespace cmk::k8s
