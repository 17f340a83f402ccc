// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "k8s/cluster/cluster.h"
#include "k8s/cluster/plan.h"
#include "k8s/cluster/summary.h"
#include "k8s/server_version.h"

namespace cmk::k8s {

/// One kind of a plan's commands on all nodes: the one-shots, or the daemons.
class NodeGroup {
public:
    NodeGroup(const Cluster& cluster, const Plan& plan, const ServerVersion& server,
              PodTracker::Wanted wanted);

    /// Makes the objects of nodes that have not failed, then waits for their pods. Errors: when
    /// the server does not answer any more, or refuses the watch.
    Status run(NodeResults& results);

private:
    bool is_empty() const;
    Status create(const std::string& node, NodeResult& result);
    Status wait(NodeResults& results);
    void settle(const std::string& node, NodeResult& result);
    std::string& column(NodeResult& result) const;

    const Cluster& cluster_;
    const Plan& plan_;
    ServerVersion server_;
    PodTracker::Wanted wanted_;
    PodTracker tracker_;
    std::size_t all_ = 0;
};

}  // namespace cmk::k8s
