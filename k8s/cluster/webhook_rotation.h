// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "k8s/cluster/cluster.h"
#include "k8s/webhook/webhook_certs.h"

namespace cmk::k8s {

/// Replaces the webhook's certificate in the cluster: the new authority is added to caBundle first,
/// then the Secret is replaced; authorities that its certificate does not need go at the next run.
/// Run again after any failure, it goes on from there. A certificate of
/// the operator's is checked before anything changes. Errors: as refusal(); not_permitted naming
/// what is missing; unavailable where cluster-init has not made the objects.
Status rotate_webhook_certificate(const Cluster& cluster, const WebhookCertsOptions& options);

}  // namespace cmk::k8s
