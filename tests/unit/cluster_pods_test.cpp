// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "k8s/cluster/pod_state.h"
#include "k8s/cluster/pod_tracker.h"
#include "k8s/cluster/pod_wait.h"
#include "k8s/cluster/pool_users.h"
#include "k8s/cluster/summary.h"

namespace cmk::k8s {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using Kind = PodState::Kind;

json pod(const char* name, const char* uid, const char* phase) {
    return {{"metadata", {{"name", name}, {"uid", uid}}}, {"status", {{"phase", phase}}}};
}

json with_container(json pod, const char* state, const json& what) {
    pod["status"]["containerStatuses"].push_back(
        {{"name", "reconcile"}, {"state", {{state, what}}}});
    return pod;
}

TEST(PodState, AOneShotGoesByItsPhase) {
    EXPECT_EQ(state_of_one_shot(pod("p", "u", "Succeeded")).kind, Kind::done);
    EXPECT_EQ(state_of_one_shot(pod("p", "u", "Running")).kind, Kind::waiting);
    EXPECT_EQ(state_of_one_shot(pod("p", "u", "Pending")).reason, "phase Pending");
    const PodState failed = state_of_one_shot(
        with_container(pod("p", "u", "Failed"), "terminated", {{"exitCode", 3}, {"reason", "E"}}));
    EXPECT_EQ(failed.kind, Kind::failed);
    EXPECT_EQ(failed.reason, "reconcile exited with 3 (E)");
    EXPECT_EQ(failed.container, "reconcile");
    EXPECT_FALSE(failed.restarted);
}

TEST(PodState, ADaemonRunsWithAllOfItsContainers) {
    const json running = with_container(pod("p", "u", "Running"), "running", json::object());
    EXPECT_EQ(state_of_daemon(running).kind, Kind::done);
    EXPECT_EQ(state_of_daemon(pod("p", "u", "Running")).kind, Kind::done);
    EXPECT_EQ(state_of_daemon(with_container(running, "terminated", {{"exitCode", 1}})).kind,
              Kind::waiting);
    const PodState crashing =
        state_of_daemon(with_container(running, "waiting", {{"reason", "CrashLoopBackOff"}}));
    EXPECT_EQ(crashing.kind, Kind::failed);
    EXPECT_TRUE(crashing.restarted);
    EXPECT_EQ(state_of_daemon(pod("p", "u", "Succeeded")).kind, Kind::failed);
}

TEST(PodState, WhatCanStillComeIsWaitedFor) {
    for (const char* reason : {"ImagePullBackOff", "ErrImagePull", "ContainerCreating"}) {
        const json waits =
            with_container(pod("p", "u", "Pending"), "waiting", {{"reason", reason}});
        EXPECT_EQ(state_of_one_shot(waits).kind, Kind::waiting) << reason;
    }
    for (const char* reason : {"ErrImageNeverPull", "InvalidImageName"}) {
        const json waits =
            with_container(pod("p", "u", "Pending"), "waiting", {{"reason", reason}});
        const PodState state = state_of_one_shot(waits);
        EXPECT_EQ(state.kind, Kind::failed) << reason;
        EXPECT_EQ(state.container, "") << "it has written no log";
    }
}

TEST(PodState, AnythingElseIsWaitedFor) {
    for (
        const char* text :
        {"{}", "7", "null", R"({"status":7})", R"({"status":{"phase":7}})",
         R"({"status":{"phase":"Running","containerStatuses":{"a":1}},"metadata":[]})",
         R"({"status":{"phase":"Failed","containerStatuses":[7,{"state":[]},{"state":{"terminated":{"exitCode":"x"}}}]}})"}) {
        const json odd = json::parse(text);
        const PodState state = state_of_one_shot(odd);
        EXPECT_NE(state.kind, Kind::done) << text;
        EXPECT_FALSE(state.reason.empty()) << text;
        state_of_daemon(odd);
    }
}

TEST(PodTracker, GoesByUidNotByName) {
    PodTracker tracker(PodTracker::Wanted::end);
    tracker.expect("node1", "u1");
    tracker.expect("node10", "u10");
    EXPECT_EQ(tracker.take("ADDED", pod("cmk-init-pod-node1", "other", "Failed")), "");
    EXPECT_EQ(tracker.take("ADDED", pod("cmk-init-pod-node10", "u10", "Failed")), "node10");
    EXPECT_EQ(tracker.take("MODIFIED", pod("cmk-init-pod-node1", "u1", "Succeeded")), "node1");
    EXPECT_EQ(tracker.left(), 0U);
    EXPECT_EQ(tracker.nodes().at("node1").state.kind, Kind::done);
    EXPECT_EQ(tracker.nodes().at("node10").pod, "cmk-init-pod-node10");
    EXPECT_EQ(tracker.take("DELETED", pod("cmk-init-pod-node1", "u1", "Succeeded")), "");
}

TEST(PodTracker, KnowsAControllersPodByItsOwner) {
    PodTracker tracker(PodTracker::Wanted::running);
    tracker.expect("n", "set");
    json owned = pod("x-1", "p1", "Running");
    owned["metadata"]["ownerReferences"] = json::array({7, {{"uid", "set"}}});
    EXPECT_EQ(tracker.take("DELETED",
                           [&] {
                               json gone = owned;
                               gone["status"]["phase"] = "Pending";
                               return gone;
                           }()),
              "")
        << "there will be another one";
    EXPECT_EQ(tracker.take("ADDED", owned), "n");
    EXPECT_EQ(tracker.take("ADDED", json::parse(R"({"metadata":{"ownerReferences":7}})")), "");
}

TEST(PodTracker, AOneShotThatIsDeletedHasFailed) {
    PodTracker tracker(PodTracker::Wanted::end);
    tracker.expect("n", "u");
    EXPECT_EQ(tracker.take("DELETED", pod("p", "u", "Running")), "n");
    EXPECT_EQ(tracker.nodes().at("n").state.reason, "the pod was deleted");
}

/// Answers watches with lines, one list a watch; time passes with each of them.
struct Lines {
    std::vector<std::vector<std::string>> watches;
    seconds each = seconds(1);
    TimePoint time = {};
    std::vector<Request> requests = {};
    std::vector<std::string> settled = {};
    int status = 200;

    Waiting waiting() {
        return {
            .watch = [this](const Request& request, seconds, const auto& take) -> Result<Answer> {
                const std::size_t number = requests.size();
                requests.push_back(request);
                time += each;
                if (number < watches.size()) {
                    for (const std::string& line : watches[number])
                        if (!take(line)) break;
                }
                return Answer{.status = status};
            },
            .now = [this] { return time; },
            .sleep = [this](Duration duration) { time += duration; },
            .settled = [this](const std::string& node) { settled.push_back(node); }};
    }
};

std::string event(const char* type, const json& object) {
    return json{{"type", type}, {"object", object}}.dump();
}

TEST(PodWait, GoesOnAfterAWatchThatEnded) {
    PodTracker tracker(PodTracker::Wanted::end);
    tracker.expect("a", "1");
    tracker.expect("b", "2");
    Lines lines{.watches = {{event("ADDED", pod("p", "1", "Succeeded")), "not JSON"},
                            {event("ERROR", {{"code", 410}}), "unread"},
                            {event("BOOKMARK", json::object()),
                             event("ADDED", pod("q", "2", "Succeeded")), "unread"}}};
    EXPECT_TRUE(wait_for_pods(lines.waiting(), "default", seconds(100), tracker));
    EXPECT_EQ(lines.requests.size(), 3U);
    EXPECT_EQ(lines.settled, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(lines.requests[0].path,
              "/api/v1/namespaces/default/pods?watch=1&labelSelector=cmk.intel.com%2Fcreated-by"
              "%3Dcluster-init&timeoutSeconds=60");
}

TEST(PodWait, EndsWithItsTime) {
    PodTracker tracker(PodTracker::Wanted::end);
    tracker.expect("a", "1");
    Lines lines{.watches = {{event("ADDED", pod("p", "1", "Running"))}}, .each = seconds(4)};
    EXPECT_TRUE(wait_for_pods(lines.waiting(), "default", seconds(10), tracker));
    EXPECT_EQ(lines.requests.size(), 2U);
    EXPECT_EQ(tracker.nodes().at("a").state.reason,
              "not within 10 s; the last that was seen: phase Running");
}

TEST(PodWait, ARefusalIsAnErrorAtOnce) {
    PodTracker tracker(PodTracker::Wanted::end);
    tracker.expect("a", "1");
    Lines lines{.watches = {}, .status = 403};
    const Status waited = wait_for_pods(lines.waiting(), "default", seconds(10), tracker);
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().code, Errc::not_permitted);
    EXPECT_EQ(lines.requests.size(), 1U);
}

TEST(PoolUsers, AreTheTasksOfEachList) {
    const json description = json::parse(
        R"({"path":"/etc/cmk","pools":{"exclusive":{"cpuLists":{"4,12":{"tasks":[2000]}}},
            "infra":{"cpuLists":{"0-2":{"tasks":[7,8]}}},"odd":7,
            "shared":{"cpuLists":{"3":{"tasks":7},"5":7}}}})");
    EXPECT_EQ(users_in(description),
              (std::vector<std::string>{"process 2000 on CPUs 4,12 of pool exclusive",
                                        "process 7 on CPUs 0-2 of pool infra",
                                        "process 8 on CPUs 0-2 of pool infra"}));
    EXPECT_EQ(users_in(description, "infra").size(), 1U);
    EXPECT_TRUE(users_in(json()).empty());
}

TEST(Summary, IsATableWithTheFailuresBelow) {
    const Plan plan = *make_plan({});
    const NodeResults results{
        {"n1", {.one_shots = "done", .daemons = "running"}},
        {"node-2", {.one_shots = "failed", .pod = "p", .reason = "why", .log = {"a", "b"}}}};
    EXPECT_EQ(summary_of(plan, results),
              "NODE     INIT,INSTALL,DISCOVER   RECONCILE,NODEREPORT\n"
              "n1       done                    running\n"
              "node-2   failed                  -\n"
              "1 of 2 nodes prepared\n"
              "node-2: p: why\n"
              "    a\n"
              "    b\n");
}

}  // namespace
}  // namespace cmk::k8s
