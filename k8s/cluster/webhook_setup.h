// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "k8s/cluster/cluster.h"
#include "k8s/cluster/init_options.h"
#include "k8s/server_version.h"

namespace cmk::k8s {

/// Servers before it had no admission webhooks.
inline constexpr ServerVersion kFirstWithWebhook{1, 9, 0};

/// Makes the webhook's objects, the configuration last: until then pods are admitted unchanged. A
/// Secret and a ConfigMap that are there stay as they are, and a caBundle that vouches for the
/// Secret's certificate. Errors: as refusal().
Status set_up_webhook(const Cluster& cluster, const InitOptions& settings,
                      const ServerVersion& server);

}  // namespace cmk::k8s
