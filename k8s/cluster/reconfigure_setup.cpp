// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/reconfigure_setup.h"

#include "k8s/cluster/access.h"
#include "k8s/cluster/node_group.h"
#include "k8s/cluster/node_list.h"
#include "k8s/cluster/plan.h"
#include "k8s/cluster/summary.h"
#include "k8s/server.h"

namespace cmk::k8s {

namespace {

Result<NodeResults> prepared_nodes(const Cluster& cluster) {
    CMK_TRY_ASSIGN(const std::vector<std::string> names, labelled_nodes(cluster.api));
    if (names.empty()) {
        return make_error(Errc::unavailable,
                          "no node has the label cmk.intel.com/cmk-node; cluster-init, or the "
                          "publisher, gives it to nodes with pools");
    }
    NodeResults results;
    for (const std::string& name : names)
        results.emplace(name, NodeResult{});
    return results;
}

}  // namespace

Status reconfigure_setup(const Cluster& cluster, const InitOptions& options) {
    CMK_TRY_ASSIGN(const Plan plan, make_reconfigure_plan(options));
    CMK_TRY_ASSIGN(const ServerVersion server, supported_version(cluster.api));
    CMK_TRY(
        check_rights(cluster.api, rights_for_one_shots(options.name_space), kClusterInitRights));
    CMK_TRY_ASSIGN(NodeResults results, prepared_nodes(cluster));
    const Status done = NodeGroup(cluster, plan, server, PodTracker::Wanted::end).run(results);
    cluster.print(summary_of(plan, results));
    CMK_TRY(done);
    return outcome_of("reconfigure_setup", results);
}

}  // namespace cmk::k8s
