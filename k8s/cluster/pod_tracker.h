// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "k8s/cluster/pod_state.h"

namespace cmk::k8s {

/// What became of one node's pod.
struct NodePod {
    std::string pod = {};  ///< its name, as soon as it is known
    PodState state = {};
};

/// Follows one pod a node, by uid: names can be parts of one another, and a pod of the same name
/// can be in another namespace or from an earlier run.
class PodTracker {
public:
    enum class Wanted { end, running };
    explicit PodTracker(Wanted wanted) : wanted_(wanted) {}

    /// The pod itself has this uid, or the object that controls it.
    void expect(const std::string& node, const std::string& uid);

    /// One event of a watch ("ADDED", "MODIFIED", "DELETED"). Returns the node whose pod has come
    /// to its end by that, or "".
    std::string take(const std::string& type, const nlohmann::json& pod);

    std::size_t left() const { return left_; }
    const std::map<std::string, NodePod>& nodes() const { return nodes_; }

    /// Those that are still waited for have failed: in time, or for this reason.
    void give_up(const std::string& reason);

private:
    std::string node_of(const nlohmann::json& pod) const;

    Wanted wanted_;
    std::map<std::string, std::string> by_uid_;
    std::map<std::string, NodePod> nodes_;
    std::size_t left_ = 0;
};

}  // namespace cmk::k8s
