// SPDX-License-Identifier: Apache-2.0
#include "k8s/one_shot.h"

#include <cerrno>
#include <cstdio>

#include "base/text.h"
#include "k8s/agent_state.h"
#include "k8s/definitions.h"
#include "k8s/node_writer.h"
#include "k8s/server.h"
#include "k8s/wall_time.h"

namespace cmk::k8s {

namespace {

Status status_of(const std::optional<Failure>& failure) {
    if (failure) return failure->error;
    return {};
}

/// The first of several errors, with the others behind it.
Status all_of(const std::vector<Status>& each) {
    std::optional<Error> error;
    for (const Status& status : each) {
        if (status) continue;
        if (error) {
            error->message += "\n" + status.error().message;
        } else {
            error = status.error();
        }
    }
    if (error) return *error;
    return {};
}

Result<ServerRules> server_rules(Api& api) {
    CMK_TRY_ASSIGN(const ServerVersion version, supported_version(api));
    return rules_for(version);
}

Result<NodeObject> node_of(const OneShot& shot) {
    NodeAnswer answer = get_node(shot.api, shot.node);
    if (answer.failure) return std::move(answer.failure->error);
    return *std::move(answer.node);
}

Status publish_node(const OneShot& shot, NodeObject& node, const AgentState& state,
                    const ServerRules& rules) {
    const NodeWish wish = wish_of(state, rules, shot.taint);
    const auto plan = [&](const NodeObject& seen) { return node_writes(wish, seen, rules); };
    const NodeOutcome outcome = write_node(shot.api, node, plan);
    std::vector<Status> statuses;
    for (const std::string& problem : wish.problems)
        statuses.push_back(make_error(Errc::invalid_argument, problem));
    for (const Failure& failure : outcome.failures) {
        const bool is_known = outcome.taint_refused && outcome.failures.size() == 1;
        if (is_known) {
            shot.note(failure.error.message);
        } else {
            statuses.push_back(failure.error);
        }
    }
    return all_of(statuses);
}

Status check_pools(const AgentState& state, const ServerRules& rules) {
    if (wish_of(state, rules, true).has_pool) return {};
    return make_error(Errc::unavailable,
                      "Exclusive pool does not exist, so there is nothing to publish of this node; "
                      "make pools with cmk init or cmkctl init");
}

Status publish_report(const OneShot& shot, const NodeObject& node, const ReportKind& kind,
                      const ReportContent& content, const ServerRules& rules) {
    CMK_TRY(ensure_definition(shot.api, kind, rules));
    ReportWriter writer(shot.api, kind);
    const ReportPlace place{.name_space = shot.name_space, .node = shot.node, .uid = node.uid};
    return status_of(writer.write(place, content, rfc3339(wall_now()), rules));
}

Status publish_alone(const OneShot& shot, const ReportKind& kind, const ReportContent& content,
                     LastReport& last) {
    if (last.is_fresh(content, Clock::now())) return {};
    CMK_TRY_ASSIGN(const ServerRules rules, server_rules(shot.api));
    CMK_TRY_ASSIGN(const NodeObject node, node_of(shot));
    CMK_TRY(publish_report(shot, node, kind, content, rules));
    last.published(content, Clock::now());
    return {};
}

Status print(const std::string& text) {
    if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return {};
    return errno_error(errno, "cannot write to standard output");
}

}  // namespace

Result<Answer> PatientApi::send(const Request& request) {
    Backoff backoff(random_);
    for (unsigned attempt = 1;; ++attempt) {
        auto answer = api_.send(request);
        const bool may_pass =
            answer ? answer->is_passing() : answer.error().code == Errc::unavailable;
        if (!may_pass || attempt == kMaxAttempts) return answer;
        sleep_(backoff.next(answer ? answer->retry_after : std::nullopt));
    }
}

Status ensure_definition(PatientApi& api, const ReportKind& kind, const ServerRules& rules) {
    const Request get{.method = "GET",
                      .path = definitions_path(rules) + "/" + definition_name(kind, rules)};
    constexpr unsigned kMaxLooks = 30;
    for (unsigned look = 1;; ++look) {
        const auto answer = api.send(get);
        if (answer && answer->status == 403)
            return {};  // the report itself will say what is missing
        const bool absent = answer && answer->status == 404;
        if (!absent) {
            if (const auto failure = failure_of(get, answer)) return failure->error;
            if (rules.third_party_reports || is_established(*answer)) return {};
        } else if (look == 1) {
            const Request post{.method = "POST",
                               .path = definitions_path(rules),
                               .body = definition_text(kind, rules)};
            const auto made = api.send(post);
            if (made && made->status == 409) continue;  // somebody was faster
            if (const auto failure = failure_of(post, made)) return failure->error;
        }
        if (look == kMaxLooks) {
            return make_error(Errc::timed_out, "the server has not taken in " +
                                                   definition_name(kind, rules) +
                                                   " for half a minute; its conditions say why");
        }
        api.sleep(std::chrono::seconds(1));
    }
}

Status discover(const OneShot& shot) {
    CMK_TRY_ASSIGN(const ServerRules rules, server_rules(shot.api));
    CMK_TRY_ASSIGN(const NodeSource source, NodeSource::find(shot.places));
    CMK_TRY_ASSIGN(const AgentState state, source.state());
    CMK_TRY(check_pools(state, rules));
    CMK_TRY_ASSIGN(NodeObject node, node_of(shot));
    return publish_node(shot, node, state, rules);
}

Status publish_once(const OneShot& shot) {
    CMK_TRY_ASSIGN(const ServerRules rules, server_rules(shot.api));
    CMK_TRY_ASSIGN(const NodeSource source, NodeSource::find(shot.places));
    CMK_TRY_ASSIGN(const AgentState state, source.state());
    CMK_TRY_ASSIGN(const ReportContent content, source.report());
    CMK_TRY_ASSIGN(NodeObject node, node_of(shot));
    const ReconcileReport reconciled{.leases = static_cast<unsigned>(state.leases.size()),
                                     .problems = state.host.problems};
    return all_of(
        {publish_node(shot, node, state, rules),
         publish_report(shot, node, kNodeReport, content, rules),
         publish_report(shot, node, kReconcileReport, reconcile_report(reconciled), rules)});
}

Status publish_node_report(const OneShot& shot, LastReport& last) {
    CMK_TRY_ASSIGN(const NodeSource source, NodeSource::find(shot.places));
    CMK_TRY_ASSIGN(const ReportContent content, source.report());
    CMK_TRY(print(content.report));
    return publish_alone(shot, kNodeReport, content, last);
}

Status publish_reconcile_report(const OneShot& shot, LastReport& last) {
    CMK_TRY_ASSIGN(const NodeSource source, NodeSource::find(shot.places));
    std::vector<std::string> problems;
    CMK_TRY_ASSIGN(const ReportContent content, source.reconcile(problems));
    CMK_TRY(print(content.report));
    for (const std::string& problem : problems)
        shot.note(problem);
    return publish_alone(shot, kReconcileReport, content, last);
}

Status unpublish(const OneShot& shot) {
    CMK_TRY_ASSIGN(const ServerRules rules, server_rules(shot.api));
    std::vector<Status> statuses;
    for (const Failure& failure : remove_reports(shot.api, shot.name_space, shot.node, rules))
        statuses.push_back(failure.error);
    NodeAnswer answer = get_node(shot.api, shot.node);
    if (answer.node) {
        NodeObject node = *std::move(answer.node);
        const auto plan = [](const NodeObject& seen) { return node_removals(seen); };
        for (const Failure& failure : write_node(shot.api, node, plan).failures)
            statuses.push_back(failure.error);
    } else if (answer.failure->status == 404) {
        shot.note("there is no node " + shot.node);
    } else {
        statuses.push_back(answer.failure->error);
    }
    return all_of(statuses);
}

}  // namespace cmk::k8s
