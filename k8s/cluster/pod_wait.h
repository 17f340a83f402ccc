// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "k8s/api.h"
#include "k8s/cluster/pod_tracker.h"
#include "k8s/pace.h"

namespace cmk::k8s {

/// Streams the lines of a watch, as KubeClient::watch().
using Watch = std::function<Result<Answer>(const Request& request, std::chrono::seconds idle,
                                           const std::function<bool(std::string_view)>& take)>;

/// What waiting needs of its surroundings.
struct Waiting {
    Watch watch;
    std::function<TimePoint()> now;
    std::function<void(Duration)> sleep;
    /// A node's pod has come to its end.
    std::function<void(const std::string& node)> settled;
};

/// Follows the pods of `namespace` that cluster-init has made until none is waited for, or
/// `patience` is over; those that are left have failed then. A watch that ends or breaks is begun
/// anew. Errors: as refusal() for a watch that is refused.
Status wait_for_pods(const Waiting& waiting, const std::string& name_space,
                     std::chrono::seconds patience, PodTracker& tracker);

}  // namespace cmk::k8s
