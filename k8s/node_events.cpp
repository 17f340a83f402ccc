// SPDX-License-Identifier: Apache-2.0
#include "k8s/node_events.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ipc/json_reader.h"

namespace cmk::k8s {

namespace {

// Servers refuse longer ones, and a reporter that is no qualified name.
constexpr std::size_t kMaxMessage = 1024;
constexpr std::size_t kMaxInstance = 128;
constexpr char kReporter[] = "cmk.intel.com/publisher";

std::string pools_text(const AgentState& state) {
    std::vector<std::string> pieces;
    for (const PoolReport& report : state.pools) {
        pieces.push_back(report.pool.spec.name + " " + report.pool.cpus.to_cpulist() + " (" +
                         counted(report.cores, "core", "cores") + ")");
    }
    return pieces.empty() ? "none" : join(pieces, ", ");
}

Grade lowest_grade(const AgentState& state) {
    Grade lowest = Grade::A;
    for (const Lease& lease : state.leases)
        lowest = std::max(lowest, lease.grade);
    return lowest;
}

}  // namespace

std::vector<NodeEvent> events_between(const AgentState& before, const AgentState& after) {
    std::vector<NodeEvent> events;
    if (pools_text(before) != pools_text(after)) {
        events.push_back({.reason = "CmkPoolsChanged",
                          .action = "Reconfigure",
                          .message = "CPU pools are now " + pools_text(after) + "; they were " +
                                     pools_text(before)});
    }
    for (const std::string& problem : after.host.problems) {
        const auto& known = before.host.problems;
        if (std::find(known.begin(), known.end(), problem) != known.end()) continue;
        events.push_back(
            {.warning = true, .reason = "CmkCheckFailed", .action = "Check", .message = problem});
    }
    if (lowest_grade(before) < lowest_grade(after)) {
        events.push_back({.warning = true,
                          .reason = "CmkGradeLowered",
                          .action = "Check",
                          .message = "a lease is held at grade " +
                                     std::string(to_text(lowest_grade(after))) +
                                     ", weaker than any before; cmkctl verify says why"});
    }
    return events;
}

Request event_request(const std::string& node, const std::string& uid, const NodeEvent& event,
                      WallTime now) {
    const nlohmann::json object{
        {"apiVersion", "v1"},
        {"kind", "Event"},
        {"metadata", {{"generateName", node + "."}, {"namespace", "default"}}},
        {"involvedObject", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}, {"uid", uid}}},
        {"type", event.warning ? "Warning" : "Normal"},
        {"reason", event.reason},
        {"message", event.message.substr(0, kMaxMessage)},
        {"source", {{"component", "cmk"}, {"host", node}}},
        {"eventTime", rfc3339_micro(now)},
        {"action", event.action},
        {"reportingComponent", kReporter},
        {"reportingInstance", node.substr(0, kMaxInstance)},
        {"firstTimestamp", rfc3339(now)},
        {"lastTimestamp", rfc3339(now)},
        {"count", 1}};
    return {.method = "POST",
            .path = "/api/v1/namespaces/default/events?fieldManager=cmk-publisher",
            .body = dump_line(object)};
}

bool EventQuota::take(TimePoint now) {
    if (now >= begin_ + kWhile || taken_ == 0) {
        begin_ = now;
        taken_ = 0;
    }
    return ++taken_ <= kMost;
}

}  // namespace cmk::k8s
