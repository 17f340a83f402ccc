// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "k8s/agent_state.h"
#include "k8s/api.h"
#include "k8s/pace.h"
#include "k8s/wall_time.h"

namespace cmk::k8s {

/// Something that `kubectl describe node` shall show.
struct NodeEvent {
    bool warning = false;
    std::string reason = {};   ///< "CmkPoolsChanged"
    std::string action = {};   ///< what was done or found: "Reconfigure"
    std::string message = {};  ///< a sentence

    friend bool operator==(const NodeEvent&, const NodeEvent&) = default;
};

/// What has happened between two states of an agent: pools that are others, what can no longer be
/// mended, and a lowest grade that is lower.
std::vector<NodeEvent> events_between(const AgentState& before, const AgentState& after);

/// Creates it in the namespace "default", where events of Nodes are. With eventTime and who reports
/// it, and for older servers and kubectls also with a count and times to the second.
Request event_request(const std::string& node, const std::string& uid, const NodeEvent& event,
                      WallTime now);

/// So many events a while, so that a node that changes all the time does not fill the cluster's
/// store.
class EventQuota {
public:
    static constexpr unsigned kMost = 10;

    /// Takes one from what is left, if there is any.
    bool take(TimePoint now);

private:
    static constexpr std::chrono::minutes kWhile{10};

    TimePoint begin_ = {};
    unsigned taken_ = 0;
};

}  // namespace cmk::k8s
