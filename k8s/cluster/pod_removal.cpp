// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/pod_removal.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "k8s/cluster/labels.h"
#include "k8s/cluster/node_objects.h"
#include "k8s/cluster/object_writer.h"
#include "k8s/cluster/query.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

using Names = std::vector<std::string>;

Names daemon_set_names(const std::string& node) {
    return {"cmk-reconcile-nodereport-ds-" + node, "cmk-node-report-ds-all",
            "cmk-reconcile-ds-all"};
}

Names pod_names(const std::string& node) {
    return {"cmk-init-install-discover-pod-" + node, "cmk-cluster-init-pod", "cmk-discover-pod",
            "cmk-init-pod", "cmk-install-pod"};
}

bool has(const Names& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string name_of(const json& object) {
    return text_of(member_of(object, "metadata"), "name");
}

/// The node's pods that are CMK's.
Result<Names> pods_of(const Cluster& cluster, const std::string& name_space,
                      const std::string& node) {
    const Names known = pod_names(node);
    Names apps;
    for (const std::string& set : daemon_set_names(node))
        apps.push_back(label_value(set));
    Names found;
    CMK_TRY(for_each_object(
        cluster.api, pods_path(name_space), "fieldSelector=spec.nodeName%3D" + node,
        [&](const json& pod) {
            const json& labels = member_of(member_of(pod, "metadata"), "labels");
            const bool ours = text_of(labels, kCreatedBy) == kClusterInit &&
                              text_of(labels, kForNode) == label_value(node);
            if (ours || has(known, name_of(pod)) || has(apps, text_of(labels, "app")))
                found.push_back(name_of(pod));
        }));
    return found;
}

Status remove(const Cluster& cluster, const std::string& path) {
    CMK_TRY_ASSIGN(const bool was_there, delete_object(cluster.api, path, Grace::usual));
    if (was_there) cluster.note("deleted " + path);
    return {};
}

Status remove_daemon_sets(const Cluster& cluster, const std::string& collection,
                          const std::string& node) {
    Names sets = daemon_set_names(node);
    CMK_TRY(for_each_object(cluster.api, collection, our_selector(node), [&](const json& set) {
        if (!has(sets, name_of(set))) sets.push_back(name_of(set));
    }));
    for (const std::string& set : sets)
        CMK_TRY(remove(cluster, collection + "/" + set));
    return {};
}

}  // namespace

Status remove_pods(const Cluster& cluster, const std::string& name_space, const std::string& node,
                   const ServerVersion& server, std::chrono::seconds patience) {
    CMK_TRY(remove_daemon_sets(cluster, daemon_sets_path(name_space, server), node));
    const TimePoint end = cluster.now() + patience;
    Names deleted;
    for (;;) {
        CMK_TRY_ASSIGN(const Names left, pods_of(cluster, name_space, node));
        if (left.empty()) return {};
        for (const std::string& pod : left) {
            if (has(deleted, pod)) continue;
            CMK_TRY(remove(cluster, pods_path(name_space) + "/" + pod));
            deleted.push_back(pod);
        }
        if (cluster.now() >= end) {
            return make_error(Errc::timed_out, "the pod " + left.front() + " of " + node +
                                                   " does not end; kubectl describe pod says why");
        }
        cluster.api.sleep(std::chrono::seconds(1));
    }
}

}  // namespace cmk::k8s
