// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/cluster_init.h"

#include <algorithm>

#include "k8s/cluster/access.h"
#include "k8s/cluster/node_group.h"
#include "k8s/cluster/node_list.h"
#include "k8s/cluster/plan.h"
#include "k8s/cluster/summary.h"
#include "k8s/cluster/webhook_setup.h"
#include "k8s/server.h"

namespace cmk::k8s {

namespace {

Result<NodeResults> chosen_nodes(const Cluster& cluster, const InitOptions& options) {
    std::vector<std::string> hosts;
    if (!options.all_hosts) {
        CMK_TRY_ASSIGN(hosts, listed_hosts(options.host_list));
    }
    CMK_TRY_ASSIGN(const std::vector<ClusterNode> nodes, list_nodes(cluster.api));
    CMK_TRY_ASSIGN(const std::vector<std::string> names, choose_nodes(nodes, hosts));
    NodeResults results;
    for (const std::string& name : names)
        results.emplace(name, NodeResult{});
    return results;
}

Status prepare(const Cluster& cluster, const Plan& plan, const ServerVersion& server,
               NodeResults& results) {
    CMK_TRY(NodeGroup(cluster, plan, server, PodTracker::Wanted::end).run(results));
    CMK_TRY(NodeGroup(cluster, plan, server, PodTracker::Wanted::running).run(results));
    const bool any = std::any_of(results.begin(), results.end(),
                                 [](const auto& each) { return !each.second.failed(); });
    if (!any || plan.settings.no_webhook || server < kFirstWithWebhook) return {};
    return set_up_webhook(cluster, plan.settings, server);
}

}  // namespace

Status cluster_init(const Cluster& cluster, const InitOptions& options) {
    CMK_TRY_ASSIGN(const Plan plan, make_plan(options));
    if (!options.all_hosts) CMK_TRY(listed_hosts(options.host_list));
    CMK_TRY_ASSIGN(const ServerVersion server, supported_version(cluster.api));
    const InitWork work{.one_shots = !plan.one_shots.empty(),
                        .daemons = !plan.daemons.empty(),
                        .webhook = !options.no_webhook};
    CMK_TRY(check_rights(cluster.api, rights_for_init(options.name_space, server, work),
                         kClusterInitRights));
    CMK_TRY_ASSIGN(NodeResults results, chosen_nodes(cluster, options));
    const Status prepared = prepare(cluster, plan, server, results);
    cluster.print(summary_of(plan, results));
    CMK_TRY(prepared);
    return outcome_of("cluster-init", results);
}

}  // namespace cmk::k8s
