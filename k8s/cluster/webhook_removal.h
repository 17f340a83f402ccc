// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "k8s/cluster/cluster.h"
#include "k8s/server_version.h"

namespace cmk::k8s {

/// Deletes the webhook's objects, the configuration first, so that no pod is sent to a webhook that
/// goes. Those that are not there are as good. Errors: as refusal().
Status remove_webhook(const Cluster& cluster, const std::string& name_space,
                      const ServerVersion& server);

}  // namespace cmk::k8s
