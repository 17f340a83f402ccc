// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/node_list.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "k8s/cluster/query.h"

namespace cmk::k8s {

using nlohmann::json;

ClusterNode cluster_node(const json& node) {
    const json& metadata = member_of(node, "metadata");
    const json& labels = member_of(metadata, "labels");
    ClusterNode found{.name = text_of(metadata, "name"), .os = text_of(labels, "kubernetes.io/os")};
    if (found.os.empty()) found.os = text_of(labels, "beta.kubernetes.io/os");
    if (found.os.empty()) {
        found.os = text_of(member_of(member_of(node, "status"), "nodeInfo"), "operatingSystem");
    }
    const json& spec = member_of(node, "spec");
    const auto closed = spec.find("unschedulable");
    found.schedulable = closed == spec.end() || !closed->is_boolean() || !closed->get<bool>();
    return found;
}

Result<std::vector<ClusterNode>> list_nodes(Api& api) {
    std::vector<ClusterNode> nodes;
    CMK_TRY(for_each_object(api, "/api/v1/nodes", "", [&](const json& each) {
        ClusterNode node = cluster_node(each);
        if (!node.name.empty()) nodes.push_back(std::move(node));
    }));
    return nodes;
}

Result<std::vector<std::string>> labelled_nodes(Api& api) {
    std::vector<std::string> names;
    CMK_TRY(for_each_object(api, "/api/v1/nodes", "labelSelector=cmk.intel.com%2Fcmk-node",
                            [&](const json& each) {
                                std::string name = cluster_node(each).name;
                                if (!name.empty()) names.push_back(std::move(name));
                            }));
    return names;
}

Result<std::vector<std::string>> choose_nodes(const std::vector<ClusterNode>& nodes,
                                              const std::vector<std::string>& hosts) {
    std::vector<std::string> chosen;
    std::vector<std::string> absent;
    for (const std::string& host : hosts) {
        const auto at = std::find_if(nodes.begin(), nodes.end(), [&](const ClusterNode& each) {
            return each.name == host && (each.os.empty() || each.os == "linux");
        });
        (at == nodes.end() ? absent : chosen).push_back(host);
    }
    if (!absent.empty()) {
        return make_error(Errc::invalid_argument,
                          "--host-list: the cluster has no Linux node " + join(absent, ", no ") +
                              "; kubectl get nodes shows those it has. Nothing was changed");
    }
    if (!hosts.empty()) return chosen;
    for (const ClusterNode& node : nodes)
        if (node.takes_pods()) chosen.push_back(node.name);
    if (!chosen.empty()) return chosen;
    return make_error(Errc::unavailable, "the cluster has no Linux node that takes pods");
}

}  // namespace cmk::k8s
