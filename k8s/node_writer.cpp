// SPDX-License-Identifier: Apache-2.0
#include "k8s/node_writer.h"

#include <nlohmann/json.hpp>

namespace cmk::k8s {

namespace {

constexpr unsigned kMaxRounds = 3;
constexpr int kConflict = 409;

bool is_kubelets_taint(const NodeWrite& write, const Failure& failure) {
    return write.part == NodeWrite::Part::taint && failure.status == 403 &&
           (failure.error.message.find("system:node:") != std::string::npos ||
            failure.error.message.find("not allowed to modify taints") != std::string::npos);
}

/// One round. True when a write met a newer Node.
bool write_once(Api& api, NodeObject& node, const std::vector<NodeWrite>& writes,
                NodeOutcome& outcome) {
    bool conflict = false;
    for (const NodeWrite& write : writes) {
        const Request request = to_request(node.name, write);
        const auto answer = api.send(request);
        if (auto failure = failure_of(request, answer)) {
            conflict = conflict || failure->status == kConflict;
            outcome.taint_refused = outcome.taint_refused || is_kubelets_taint(write, *failure);
            outcome.failures.push_back(*std::move(failure));
            if (!answer) break;  // the next one would wait as long
        } else if (auto written = read_node(answer->object())) {
            node = *std::move(written);
        } else {
            outcome.failures.push_back({.error = with_context(written.error(), request.path)});
        }
    }
    return conflict;
}

}  // namespace

NodeAnswer get_node(Api& api, const std::string& name) {
    const Request request{.method = "GET", .path = "/api/v1/nodes/" + name};
    const auto answer = api.send(request);
    if (auto failure = failure_of(request, answer)) return {.failure = std::move(failure)};
    auto node = read_node(answer->object());
    if (node) return {.node = *std::move(node)};
    return {.failure = Failure{.error = with_context(node.error(), "GET " + request.path)}};
}

NodeOutcome write_node(Api& api, NodeObject& node, const PlanWrites& plan) {
    for (unsigned round = 1;; ++round) {
        NodeOutcome outcome;
        const auto writes = plan(node);
        if (!writes) return {.failures = {Failure{.error = writes.error()}}};
        if (!write_once(api, node, *writes, outcome) || round == kMaxRounds) return outcome;
        NodeAnswer fresh = get_node(api, node.name);
        if (fresh.failure) return {.failures = {*std::move(fresh.failure)}};
        node = *std::move(fresh.node);
    }
}

}  // namespace cmk::k8s
