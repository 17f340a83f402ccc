// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/pod_state.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "k8s/api.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

/// What kubelet says of a container that no time will mend.
constexpr std::array<std::string_view, 3> kHopeless{"ErrImageNeverPull", "InvalidImageName",
                                                    "CrashLoopBackOff"};

std::vector<json> container_states(const json& pod) {
    std::vector<json> states;
    const json& status = member_of(pod, "status");
    for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
        const auto at = status.find(list);
        if (at == status.end() || !at->is_array()) continue;
        std::copy_if(at->begin(), at->end(), std::back_inserter(states),
                     [](const json& each) { return each.is_object(); });
    }
    return states;
}

long exit_code_of(const json& terminated) {
    const auto at = terminated.find("exitCode");
    return at == terminated.end() || !at->is_number_integer() ? 0 : at->get<long>();
}

std::string with_message(std::string reason, const json& where) {
    const std::string message = text_of(where, "message");
    if (message.empty()) return reason;
    return reason.empty() ? message : reason + ": " + message;
}

PodState failed(const json& pod) {
    const json& status = member_of(pod, "status");
    PodState state{.kind = PodState::Kind::failed,
                   .reason = with_message(text_of(status, "reason"), status)};
    for (const json& each : container_states(pod)) {
        const json& terminated = member_of(member_of(each, "state"), "terminated");
        const long code = exit_code_of(terminated);
        if (code == 0) continue;
        state.container = text_of(each, "name");
        const std::string why = with_message(text_of(terminated, "reason"), terminated);
        state.reason = state.container + " exited with " + std::to_string(code) +
                       (why.empty() ? "" : " (" + why + ")");
        break;
    }
    if (state.reason.empty()) state.reason = "the pod failed; it does not say why";
    return state;
}

/// What a pod that is not yet there waits for.
PodState waiting(const json& pod) {
    PodState state;
    for (const json& each : container_states(pod)) {
        const json& waits = member_of(member_of(each, "state"), "waiting");
        const std::string reason = text_of(waits, "reason");
        if (reason.empty() || reason == "PodInitializing" || reason == "ContainerCreating")
            continue;
        state.container = text_of(each, "name");
        state.reason = state.container + ": " + with_message(reason, waits);
        state.restarted = reason == "CrashLoopBackOff";
        const bool hopeless =
            std::find(kHopeless.begin(), kHopeless.end(), reason) != kHopeless.end();
        if (hopeless) state.kind = PodState::Kind::failed;
        if (!state.restarted) state.container.clear();  // it has not run, so there is no log
        break;
    }
    if (state.reason.empty()) state.reason = "phase " + text_of(member_of(pod, "status"), "phase");
    return state;
}

}  // namespace

PodState state_of_one_shot(const json& pod) {
    const std::string phase = text_of(member_of(pod, "status"), "phase");
    if (phase == "Succeeded") return {.kind = PodState::Kind::done};
    return phase == "Failed" ? failed(pod) : waiting(pod);
}

PodState state_of_daemon(const json& pod) {
    const std::string phase = text_of(member_of(pod, "status"), "phase");
    if (phase == "Failed" || phase == "Succeeded") return failed(pod);
    if (phase != "Running") return waiting(pod);
    const auto states = container_states(pod);
    const bool all_run = std::all_of(states.begin(), states.end(), [](const json& each) {
        const json& state = member_of(each, "state");
        return state.contains("running") || exit_code_of(member_of(state, "terminated")) == 0;
    });
    PodState problem = waiting(pod);
    if (problem.kind == PodState::Kind::failed) return problem;
    const bool waits = std::any_of(states.begin(), states.end(), [](const json& each) {
        return member_of(each, "state").contains("waiting");
    });
    return all_run && !waits ? PodState{.kind = PodState::Kind::done} : problem;
}

}  // namespace cmk::k8s
