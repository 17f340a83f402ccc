// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "k8s/cluster/plan.h"
#include "k8s/server_version.h"

namespace cmk::k8s {

/// "cmk-init-install-discover-pod-node1"
std::string one_shot_name(const Plan& plan, const std::string& node);
/// "cmk-reconcile-nodereport-ds-node1"
std::string daemon_set_name(const Plan& plan, const std::string& node);

/// The Pod that runs the one-shot commands on a node: the original's, with our labels. init is an
/// init container where it is not alone, so that it is over before the others begin.
nlohmann::json one_shot_pod(const Plan& plan, const std::string& node, const ServerVersion& server);

/// The DaemonSet that keeps the daemons on one node: apps/v1, or below 1.9 as the original's.
nlohmann::json daemon_set(const Plan& plan, const std::string& node, const ServerVersion& server);

/// "/api/v1/namespaces/default/pods"
std::string pods_path(const std::string& name_space);
/// "/apis/apps/v1/namespaces/default/daemonsets"
std::string daemon_sets_path(const std::string& name_space, const ServerVersion& server);

}  // namespace cmk::k8s
