// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/node_group.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "k8s/cluster/node_objects.h"
#include "k8s/cluster/object_writer.h"
#include "k8s/cluster/pod_log.h"

namespace cmk::k8s {

namespace {

using nlohmann::json;

/// A node may have other pools since its pod has reconfigured it.
bool needs_no_other(const Plan& plan, const json& pod) {
    return !plan.reconfigures && state_of_one_shot(pod).kind != PodState::Kind::failed;
}

}  // namespace

NodeGroup::NodeGroup(const Cluster& cluster, const Plan& plan, const ServerVersion& server,
                     PodTracker::Wanted wanted)
    : cluster_(cluster), plan_(plan), server_(server), wanted_(wanted), tracker_(wanted) {}

bool NodeGroup::is_empty() const {
    return (wanted_ == PodTracker::Wanted::end ? plan_.one_shots : plan_.daemons).empty();
}

std::string& NodeGroup::column(NodeResult& result) const {
    return wanted_ == PodTracker::Wanted::end ? result.one_shots : result.daemons;
}

Status NodeGroup::create(const std::string& node, NodeResult& result) {
    const bool ends = wanted_ == PodTracker::Wanted::end;
    const std::string& place = plan_.settings.name_space;
    const auto made =
        ends ? ensure_object(cluster_.api, pods_path(place), one_shot_pod(plan_, node, server_),
                             Present::replaced,
                             [&](const json& pod) { return needs_no_other(plan_, pod); })
             : ensure_object(cluster_.api, daemon_sets_path(place, server_),
                             daemon_set(plan_, node, server_), Present::replaced);
    if (made) {
        if (made->how == Ensured::How::found) column(result) = "found";
        tracker_.expect(node, made->uid);
        return {};
    }
    if (made.error().code == Errc::unavailable) return made.error();
    column(result) = "failed";
    result.reason = made.error().message;
    cluster_.note(node + ": " + result.reason);
    return {};
}

void NodeGroup::settle(const std::string& node, NodeResult& result) {
    const NodePod& seen = tracker_.nodes().at(node);
    const std::string progress =
        " (" + std::to_string(all_ - tracker_.left()) + " of " + std::to_string(all_) + ")";
    const bool ends = wanted_ == PodTracker::Wanted::end;
    if (seen.state.kind == PodState::Kind::done) {
        const bool found = column(result) == "found";
        column(result) = ends ? (found ? "done before" : "done") : "running";
        cluster_.note(node + ": " + seen.pod + " " + (ends ? "has succeeded" : "runs") + progress);
        return;
    }
    column(result) = "failed";
    result.pod = seen.pod;
    // As the original says it; people look for that.
    result.reason = "The Pod " + (seen.pod.empty() ? "of " + node : seen.pod) +
                    " went into Failed state: " + seen.state.reason;
    cluster_.note(node + ": " + result.reason + progress);
}

Status NodeGroup::wait(NodeResults& results) {
    all_ = tracker_.left();
    const Waiting waiting{
        .watch = cluster_.watch,
        .now = cluster_.now,
        .sleep = [&](Duration duration) { cluster_.api.sleep(duration); },
        .settled = [&](const std::string& node) { settle(node, results.at(node)); }};
    const std::chrono::seconds patience(plan_.settings.patience);
    Status watched = wait_for_pods(waiting, plan_.settings.name_space, patience, tracker_);
    if (!watched) return watched;
    for (const auto& [node, seen] : tracker_.nodes()) {
        NodeResult& result = results.at(node);
        if (seen.state.kind != PodState::Kind::failed) continue;
        if (!result.failed()) settle(node, result);
        result.log = last_lines(cluster_.api, plan_.settings.name_space, seen);
    }
    return {};
}

Status NodeGroup::run(NodeResults& results) {
    if (is_empty()) return {};
    for (auto& [node, result] : results) {
        if (result.failed()) continue;
        CMK_TRY(create(node, result));
    }
    return wait(results);
}

}  // namespace cmk::k8s
