// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "k8s/cluster/cluster.h"
#include "k8s/server_version.h"

namespace cmk::k8s {

/// Deletes the DaemonSets and Pods of CMK for a node: those with our label, whatever their
/// commands, and those of the names that the original and its manual use. Then waits until the
/// node's are gone. Errors: as refusal(); timed_out, naming a pod that does not go.
Status remove_pods(const Cluster& cluster, const std::string& name_space, const std::string& node,
                   const ServerVersion& server, std::chrono::seconds patience);

}  // namespace cmk::k8s
