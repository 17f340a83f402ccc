// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/node_uninstall.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "k8s/cluster/pod_removal.h"
#include "k8s/cluster/pool_users.h"
#include "k8s/node_payload.h"
#include "k8s/node_writer.h"
#include "k8s/report_writer.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

using Users = std::vector<std::string>;

/// Rounds of a second that processes of pods which are gone may still take to end, and a report to
/// be renewed.
constexpr unsigned kRounds = 10;
constexpr std::size_t kShown = 5;

/// As the node's report says. Whatever runs in the pool infra is CMK's own.
Result<Users> reported_users(const Uninstall& removal, const ServerRules& rules) {
    const ReportPlace place{.name_space = removal.report_namespace, .node = removal.node};
    const Request request{.method = "GET", .path = object_path(kNodeReport, place, rules)};
    const auto answer = removal.cluster.api.send(request);
    if (answer && answer->status == 404) return Users();
    if (auto failure = failure_of(request, answer)) return std::move(failure->error);
    const json object = answer->object();
    const json& report = rules.third_party_reports ? member_of(object, "report")
                                                   : member_of(member_of(object, "spec"), "report");
    return users_in(member_of(report, "description"), "infra");
}

Result<Users> users_now(const Uninstall& removal, const ServerRules& rules) {
    return removal.host.users ? removal.host.users() : reported_users(removal, rules);
}

/// The first of them by name, and how many more there are.
std::string named(Users users) {
    const std::size_t count = users.size();
    if (count > kShown) users.resize(kShown);
    std::string who = join(users, ", ");
    if (count > kShown) who += " and " + std::to_string(count - kShown) + " more";
    return who;
}

/// Those that are still there when it has waited.
Result<Users> wait_for_users(const Uninstall& removal, const ServerRules& rules) {
    Users users;
    for (unsigned round = 1;; ++round) {
        CMK_TRY_ASSIGN(users, users_now(removal, rules));
        if (users.empty() || round == kRounds || removal.options.force) return users;
        if (round == 1) removal.cluster.note(removal.node + ": waiting for " + named(users));
        removal.cluster.api.sleep(std::chrono::seconds(1));
    }
}

Status check_users(const Uninstall& removal, const ServerRules& rules) {
    CMK_TRY_ASSIGN(const Users users, wait_for_users(removal, rules));
    if (users.empty()) return {};
    if (removal.options.force) {
        removal.cluster.note("--force: from now on nothing keeps other programs off the CPUs of " +
                             named(users));
        return {};
    }
    const std::string source = removal.host.users ? "" : " (by its node report)";
    return make_error(Errc::conflict, "Aborting uninstall: There are running tasks on " +
                                          removal.node + ": " + named(users) + source +
                                          "; end them, or name --force");
}

/// What node_removals() names, either the label or all but it.
Status write_removals(const Uninstall& removal, bool label) {
    NodeAnswer answer = get_node(removal.cluster.api, removal.node);
    if (answer.failure) {
        if (answer.failure->status != 404) return answer.failure->error;
        removal.cluster.note("there is no node " + removal.node);
        return {};
    }
    const auto plan = [&](const NodeObject& seen) -> Result<std::vector<NodeWrite>> {
        CMK_TRY_ASSIGN(std::vector<NodeWrite> writes, node_removals(seen));
        std::erase_if(writes, [&](const NodeWrite& each) {
            return (each.part == NodeWrite::Part::label) != label;
        });
        return writes;
    };
    const NodeOutcome outcome = write_node(removal.cluster.api, *answer.node, plan);
    if (outcome.ok()) return {};
    return outcome.failures.front().error;
}

}  // namespace

Status uninstall_node(const Uninstall& removal, const ServerVersion& server) {
    CMK_TRY_ASSIGN(const ServerRules rules, rules_for(server));
    const UninstallOptions& options = removal.options;
    // A report is true as long as the pods are there that renew it; on the host they hold leases.
    if (!removal.host.users) CMK_TRY(check_users(removal, rules));
    CMK_TRY(remove_pods(removal.cluster, options.name_space, removal.node, server,
                        std::chrono::seconds(options.patience)));
    if (removal.host.users) CMK_TRY(check_users(removal, rules));
    const auto failures =
        remove_reports(removal.cluster.api, removal.report_namespace, removal.node, rules);
    if (!failures.empty()) return failures.front().error;
    CMK_TRY(write_removals(removal, false));
    if (removal.host.remove) return removal.host.remove();
    removal.cluster.note(removal.node + " keeps its pools and its cmk: run cmk uninstall there");
    return {};
}

Status remove_label(const Uninstall& removal) {
    return write_removals(removal, true);
}

}  // namespace cmk::k8s
