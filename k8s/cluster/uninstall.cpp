// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/uninstall.h"

#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "k8s/cluster/labels.h"
#include "k8s/cluster/node_list.h"
#include "k8s/cluster/node_objects.h"
#include "k8s/cluster/node_uninstall.h"
#include "k8s/cluster/query.h"
#include "k8s/cluster/webhook_removal.h"
#include "k8s/server.h"

namespace cmk::k8s {

namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

Status remove_unneeded_webhook(const Uninstall& removal, const ServerVersion& server) {
    CMK_TRY_ASSIGN(Names others, labelled_nodes(removal.cluster.api));
    std::erase(others, removal.node);
    if (others.empty()) {
        return remove_webhook(removal.cluster, removal.options.name_space, server);
    }
    removal.cluster.note(
        "the webhook stays: " + counted(others.size(), "other node", "other nodes") + " still " +
        (others.size() == 1 ? "has" : "have") + " the label");
    return {};
}

/// The label goes last, since what selects this pod may be the label. Nodes that end at the same
/// time see each other's: so the webhook is looked after once more when it is gone.
Status uninstall_one(const Uninstall& removal, const ServerVersion& server) {
    CMK_TRY(uninstall_node(removal, server));
    CMK_TRY(remove_unneeded_webhook(removal, server));
    CMK_TRY(remove_label(removal));
    CMK_TRY_ASSIGN(const Names others, labelled_nodes(removal.cluster.api));
    if (!others.empty()) return {};
    return remove_webhook(removal.cluster, removal.options.name_space, server);
}

/// Those with the label, and those that cluster-init has only begun with.
Result<std::set<std::string>> nodes_in_use(const Uninstall& removal, const ServerVersion& server) {
    CMK_TRY_ASSIGN(const Names labelled, labelled_nodes(removal.cluster.api));
    std::set<std::string> nodes(labelled.begin(), labelled.end());
    const std::string& place = removal.options.name_space;
    const auto take = [&](const json& pod) {
        const std::string node = text_of(member_of(pod, "spec"), "nodeName");
        if (!node.empty()) nodes.insert(node);
    };
    CMK_TRY(for_each_object(removal.cluster.api, pods_path(place), our_selector(""), take));
    CMK_TRY(for_each_object(
        removal.cluster.api, daemon_sets_path(place, server), our_selector(""),
        [&](const json& set) { take(member_of(member_of(set, "spec"), "template")); }));
    return nodes;
}

Status uninstall_all(Uninstall removal, const ServerVersion& server) {
    CMK_TRY_ASSIGN(const std::set<std::string> nodes, nodes_in_use(removal, server));
    removal.host = {};
    std::vector<std::string> failures;
    Names done;
    for (const std::string& node : nodes) {
        removal.node = node;
        Status removed = uninstall_node(removal, server);
        if (!removed && removed.error().code == Errc::unavailable) return removed;
        if (removed) {
            done.push_back(node);
        } else {
            failures.push_back(removed.error().message);
        }
    }
    if (failures.empty())
        CMK_TRY(remove_webhook(removal.cluster, removal.options.name_space, server));
    for (const std::string& node : done) {
        removal.node = node;
        CMK_TRY(remove_label(removal));
    }
    removal.cluster.note(counted(done.size(), "node is", "nodes are") + " free of CMK");
    if (failures.empty()) return {};
    return make_error(Errc::conflict, join(failures, "\n"));
}

}  // namespace

Status uninstall(const Uninstall& removal) {
    CMK_TRY_ASSIGN(const ServerVersion server, supported_version(removal.cluster.api));
    if (removal.options.cluster) return uninstall_all(removal, server);
    return uninstall_one(removal, server);
}

}  // namespace cmk::k8s
