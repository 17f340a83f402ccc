// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "k8s/cluster/cluster.h"

namespace cmk::k8s {

/// Replaces the webhook's certificate in the cluster: the new authority is added to caBundle first,
/// then the Secret is replaced; authorities that its certificate does not need go at the next run.
/// Run again after any failure, it goes on from there. Errors: as refusal(); not_permitted naming
/// what is missing; unavailable where cluster-init has not made the objects.
Status rotate_webhook_certificate(const Cluster& cluster, const std::string& service,
                                  const std::string& name_space);

}  // namespace cmk::k8s
