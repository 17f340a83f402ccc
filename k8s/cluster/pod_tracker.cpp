// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/pod_tracker.h"

#include <nlohmann/json.hpp>

#include "k8s/api.h"

namespace cmk::k8s {

using nlohmann::json;

void PodTracker::expect(const std::string& node, const std::string& uid) {
    by_uid_[uid] = node;
    if (nodes_.emplace(node, NodePod{.state = {.reason = "there is no pod yet"}}).second) ++left_;
}

std::string PodTracker::node_of(const json& pod) const {
    const json& metadata = member_of(pod, "metadata");
    auto at = by_uid_.find(text_of(metadata, "uid"));
    if (at != by_uid_.end()) return at->second;
    const auto owners = metadata.find("ownerReferences");
    if (owners == metadata.end() || !owners->is_array()) return "";
    for (const json& owner : *owners) {
        at = by_uid_.find(text_of(owner, "uid"));
        if (at != by_uid_.end()) return at->second;
    }
    return "";
}

std::string PodTracker::take(const std::string& type, const json& pod) {
    std::string name = node_of(pod);
    if (name.empty()) return "";
    NodePod& node = nodes_.at(name);
    if (node.state.kind != PodState::Kind::waiting) return "";
    node.pod = text_of(member_of(pod, "metadata"), "name");
    node.state = wanted_ == Wanted::end ? state_of_one_shot(pod) : state_of_daemon(pod);
    if (type == "DELETED" && node.state.kind != PodState::Kind::done) {
        // A controller makes another one.
        const bool remade = wanted_ == Wanted::running;
        node.state = {.kind = remade ? PodState::Kind::waiting : PodState::Kind::failed,
                      .reason = "the pod was deleted"};
    }
    if (node.state.kind == PodState::Kind::waiting) return "";
    --left_;
    return name;
}

void PodTracker::give_up(const std::string& reason) {
    for (auto& [name, node] : nodes_) {
        if (node.state.kind != PodState::Kind::waiting) continue;
        node.state.kind = PodState::Kind::failed;
        node.state.reason = reason + "; the last that was seen: " + node.state.reason;
        --left_;
    }
}

}  // namespace cmk::k8s
