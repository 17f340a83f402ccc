// SPDX-License-Identifier: Apache-2.0
#include "k8s/publisher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/fake_kube.h"
#include "support/kube_recorded.h"
#include "support/topologies.h"

namespace cmk::k8s {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr char kResource[] = "cmk.intel.com/exclusive-cores";

class PublisherTest : public ::testing::Test {
protected:
    PublisherTest() {
        kube_.add_node("n1", "u1");
        state_.host.topology = test::dual_socket_numa();
        resize(4);
        publisher_ = std::make_unique<Publisher>(
            PublisherSettings{.node = "n1"},
            PublisherPorts{.api = kube_,
                           .read_agent = [this]() -> Result<AgentState> {
                               ++reads_;
                               if (agent_away_) return make_error(Errc::unavailable, "away");
                               return state_;
                           },
                           .random = [] { return 0.5; },
                           .log = [this](const std::string& text) { log_.push_back(text); }});
    }

    void resize(unsigned cores) {
        CpuSet cpus;
        for (unsigned i = 0; i < cores; ++i)
            cpus |= state_.host.topology.cores()[i].cpus;
        state_.pools = {
            test::make_pool(state_.host.topology, "exclusive", PoolKind::exclusive, cpus)};
    }

    /// Lets time pass as the daemon does: wakes when the publisher asked for it.
    void pass(Duration duration) {
        const TimePoint end = now_ + duration;
        for (;;) {
            const TimePoint next = step();
            ASSERT_LT(++steps_, 100'000) << "it asks to be woken without end";
            if (next > end) break;
            now_ = std::max(now_, next);
        }
        now_ = end;
    }
    TimePoint step() { return publisher_->step(now_, wall()); }
    WallTime wall() const {
        return WallTime(seconds(1'700'000'000)) +
               std::chrono::duration_cast<std::chrono::microseconds>(now_ - kStart);
    }
    void see() { publisher_->see_node(kube_.seen("n1")); }
    void settle() {
        see();
        pass(seconds(30));
        see();
        pass(seconds(1));
        kube_.sent.clear();
    }
    std::string capacity() {
        return kube_.node("n1")["status"]["capacity"].value(kResource, std::string("none"));
    }

    static constexpr TimePoint kStart{std::chrono::hours(1000)};
    test::FakeKube kube_;
    AgentState state_;
    bool agent_away_ = false;
    unsigned reads_ = 0;
    unsigned steps_ = 0;
    TimePoint now_ = kStart;
    std::vector<std::string> log_;
    std::unique_ptr<Publisher> publisher_;
};

TEST_F(PublisherTest, PublishesAtOnceAndThenSendsHeartbeatsAlone) {
    see();
    step();
    EXPECT_EQ(capacity(), "4");
    ASSERT_NE(kube_.report("n1"), nullptr);
    ASSERT_NE(kube_.report("n1", "cmk-reconcilereports"), nullptr);
    settle();
    pass(minutes(60));
    EXPECT_GE(kube_.sent.size(), 10U);
    EXPECT_LE(kube_.sent.size(), 15U);
    EXPECT_EQ(kube_.count("PATCH", "/cmk-nodereports/n1"), kube_.sent.size());
    for (const Request& beat : kube_.sent)
        EXPECT_LE(beat.body.size(), 300U);
    EXPECT_EQ(reads_, 1U) << "an agent that tells nothing is not asked";
}

TEST_F(PublisherTest, WaitsForNothingWhenItHasNotWrittenLately) {
    settle();
    pass(seconds(10));
    resize(3);
    publisher_->agent_changed();
    step();
    EXPECT_EQ(capacity(), "3");
}

TEST_F(PublisherTest, WritesAnObjectOnceInTenSeconds) {
    settle();
    pass(seconds(10));
    kube_.sent.clear();
    for (int i = 0; i < 60; ++i) {
        resize(1 + static_cast<unsigned>(i) % 4);
        publisher_->agent_changed();
        pass(seconds(1));
        see();
    }
    EXPECT_LE(kube_.count("PATCH", "/nodes/n1/status"), 7U);
    EXPECT_LE(kube_.count("PUT", "/cmk-nodereports/"), 7U);
    pass(seconds(10));
    EXPECT_EQ(capacity(), "4") << "the last one counts";
}

TEST_F(PublisherTest, RepairsZeroingAtOnceAlsoWhenJustWritten) {
    settle();
    resize(3);
    publisher_->agent_changed();
    pass(seconds(10));
    for (int i = 0; i < 3; ++i) {
        kube_.zero("n1");
        see();
        step();
        EXPECT_EQ(capacity(), "3") << i;
    }
    EXPECT_EQ(publisher_->status().repairs, 3U);
}

TEST_F(PublisherTest, DoesNotFightWithoutEnd) {
    settle();
    for (int i = 0; i < 600; ++i) {
        kube_.zero("n1");
        see();
        pass(std::chrono::milliseconds(100));
    }
    EXPECT_LE(kube_.count("PATCH", "/nodes/n1/status"), 12U) << "in a minute";
}

TEST_F(PublisherTest, KeepsTheLastValueWhileTheAgentIsAway) {
    settle();
    agent_away_ = true;
    publisher_->agent_changed();
    pass(minutes(10));
    EXPECT_EQ(capacity(), "4");
    EXPECT_EQ(publisher_->status().problems.count("agent"), 1U);
    kube_.zero("n1");
    see();
    step();
    EXPECT_EQ(capacity(), "4");
}

TEST_F(PublisherTest, ClaimsNothingBeforeTheAgentHasSpoken) {
    agent_away_ = true;
    see();
    pass(minutes(10));
    EXPECT_EQ(capacity(), "none");
    EXPECT_EQ(kube_.sent.size(), 1U) << "the version alone";
    agent_away_ = false;
    publisher_->agent_changed();
    step();
    EXPECT_EQ(capacity(), "4");
}

TEST_F(PublisherTest, CatchesUpAfterAnHourWithoutServer) {
    settle();
    kube_.down = true;
    resize(2);
    publisher_->agent_changed();
    pass(minutes(60));
    EXPECT_GT(kube_.sent.size(), 60U);
    EXPECT_LT(kube_.sent.size(), 400U) << "attempts grow rare";
    EXPECT_LT(log_.size(), 20U) << "the log does not fill";
    kube_.down = false;
    pass(minutes(2));
    EXPECT_EQ(capacity(), "2");
    EXPECT_EQ((*kube_.report("n1"))["status"]["coresTotal"], 2);
    EXPECT_TRUE(publisher_->status().problems.empty());
}

TEST_F(PublisherTest, StartsWithoutServer) {
    kube_.down = true;
    pass(minutes(30));
    kube_.down = false;
    see();
    pass(minutes(2));
    EXPECT_EQ(capacity(), "4");
}

TEST_F(PublisherTest, HonoursRetryAfter) {
    settle();
    pass(seconds(10));
    kube_.sent.clear();
    bool busy = true;
    kube_.fault = [&](const Request& request) -> std::optional<Answer> {
        if (!busy || request.method != "PATCH") return std::nullopt;
        return Answer{.status = 429, .body = "busy", .retry_after = seconds(45)};
    };
    kube_.zero("n1");
    see();
    pass(seconds(44));
    EXPECT_EQ(kube_.sent.size(), 1U);
    busy = false;
    pass(seconds(20));
    EXPECT_EQ(capacity(), "4");
}

TEST_F(PublisherTest, IgnoresOlderStatesOfTheNodeAndOtherNodes) {
    const NodeObject early = kube_.seen("n1");
    settle();
    publisher_->see_node(early);
    kube_.add_node("n2", "u2");
    publisher_->see_node(kube_.seen("n2"));
    pass(seconds(20));
    EXPECT_TRUE(kube_.sent.empty());
}

TEST_F(PublisherTest, PublishesANodeThatIsMadeAnew) {
    settle();
    publisher_->node_gone();
    kube_.add_node("n1", "u2");
    see();
    step();
    EXPECT_EQ(capacity(), "4") << "at once";
    pass(seconds(15));
    EXPECT_EQ((*kube_.report("n1"))["metadata"]["ownerReferences"][0]["uid"], "u2");
}

TEST_F(PublisherTest, AsksForANodeThatNoWatchBrings) {
    pass(seconds(60));
    EXPECT_EQ(capacity(), "4");
    EXPECT_EQ(kube_.count("GET", "/nodes/n1"), 1U);
}

TEST_F(PublisherTest, SaysThatThereIsNoSuchNode) {
    kube_.objects.clear();
    pass(minutes(60));
    EXPECT_EQ(publisher_->status().problems.count("node"), 1U);
    EXPECT_LT(kube_.sent.size(), 30U);
    EXPECT_EQ(kube_.count("POST", ""), 0U) << "a Node is never made";
}

TEST_F(PublisherTest, WritesAReportThatSomebodyDeletedAgain) {
    settle();
    kube_.objects.erase("/apis/intel.com/v1/namespaces/default/cmk-nodereports/n1");
    pass(minutes(7));
    EXPECT_NE(kube_.report("n1"), nullptr);
}

TEST_F(PublisherTest, PublishesTheNodeWhenReportsAreRefused) {
    kube_.fault = [&](const Request& request) -> std::optional<Answer> {
        if (request.path.find("intel.com/v1") == std::string::npos) return std::nullopt;
        return test::recorded_answer("1.36.2/154-404-custom-resource-before-crd");
    };
    see();
    pass(minutes(60));
    EXPECT_EQ(capacity(), "4");
    EXPECT_EQ(publisher_->status().problems.count("cmk-nodereports"), 1U);
    EXPECT_LT(kube_.sent.size(), 100U);
}

TEST_F(PublisherTest, RefusesAServerThatItCannotServe) {
    kube_.version = "v1.8.0";
    see();
    pass(minutes(60));
    EXPECT_EQ(kube_.count("PATCH", ""), 0U);
    EXPECT_NE(publisher_->status().problems.at("server").find("1.8.1"), std::string::npos);
    kube_.version = "v1.9.0";
    pass(minutes(11));
    EXPECT_EQ(capacity(), "4") << "an upgrade is noticed";
}

TEST_F(PublisherTest, TellsOfPoolsAndChecksWithinAQuota) {
    settle();
    resize(3);
    state_.host.problems = {"CPU 7 is lost"};
    publisher_->agent_changed();
    step();
    ASSERT_EQ(kube_.count("POST", "/events"), 2U);
    for (const Request& request : kube_.sent) {
        if (request.method != "POST") continue;
        const auto event = nlohmann::json::parse(request.body);
        EXPECT_EQ(event["involvedObject"]["uid"], "u1");
        EXPECT_EQ(event["metadata"]["namespace"], "default");
        EXPECT_EQ(event["type"], event["reason"] == "CmkPoolsChanged" ? "Normal" : "Warning");
    }
    for (unsigned i = 0; i < 100; ++i) {
        resize(1 + i % 4);
        publisher_->agent_changed();
        pass(seconds(2));
    }
    EXPECT_EQ(kube_.count("POST", "/events"), 10U);
}

TEST(NodeEvents, AreWhatHasChanged) {
    AgentState before;
    before.host.topology = test::single_socket_smt();
    before.leases = {test::make_lease("a", "exclusive", {0}, true)};
    AgentState after = before;
    EXPECT_TRUE(events_between(before, after).empty());
    after.leases[0].grade = Grade::D;
    ASSERT_EQ(events_between(before, after).size(), 1U);
    EXPECT_EQ(events_between(before, after)[0].reason, "CmkGradeLowered");
    EXPECT_TRUE(events_between(after, before).empty()) << "better is no event";
    after = before;
    after.host.problems = {std::string(5000, 'x')};
    const auto event = events_between(before, after).at(0);
    const WallTime now(std::chrono::microseconds(1'700'000'000'000'123));
    const auto sent = nlohmann::json::parse(event_request("n", "u", event, now).body);
    EXPECT_LE(sent["message"].get<std::string>().size(), 1024U);
    EXPECT_EQ(sent["eventTime"], "2023-11-14T22:13:20.000123Z");
    EXPECT_EQ(sent["lastTimestamp"], "2023-11-14T22:13:20Z");
    EXPECT_EQ(sent["action"], "Check");
    EXPECT_EQ(sent["reportingComponent"], "cmk.intel.com/publisher");
    EXPECT_EQ(sent["reportingInstance"], "n");
}

TEST_F(PublisherTest, ABrokenWatchMayMeanAnotherServer) {
    settle();
    publisher_->watch_ended("");
    pass(seconds(2));
    EXPECT_EQ(kube_.count("GET", "/version"), 0U);
    kube_.version = "v1.12.0";
    publisher_->watch_ended("it was cut off");
    pass(seconds(2));
    EXPECT_EQ(kube_.count("GET", "/version"), 1U);
    ASSERT_TRUE(publisher_->rules());
    EXPECT_FALSE(publisher_->rules()->crd_v1);
}

TEST_F(PublisherTest, IsCheapForALargeCluster) {
    settle();
    double bytes = 0;
    pass(minutes(600));
    for (const Request& request : kube_.sent)
        bytes += static_cast<double>(request.method.size() + request.path.size() +
                                     request.body.size() + 400);  // and headers
    constexpr double kNodes = 5000;
    const double writes_a_second = static_cast<double>(kube_.sent.size()) * kNodes / 36000;
    const double megabytes_a_minute = bytes * kNodes / 600 / 1e6;
    // What the watches bring is kubelet's doing: its status each five minutes, and as often the
    // object with which a watch begins; bookmarks each minute.
    const double node =
        static_cast<double>(test::kube_data("recorded/1.36.2-kubelet/node.json").dump().size());
    const double watched_an_hour = 24 * node + 60 * 150;
    RecordProperty("watched_megabytes_a_minute",
                   std::to_string(watched_an_hour * kNodes / 60 / 1e6));
    RecordProperty("writes_a_second", std::to_string(writes_a_second));
    RecordProperty("megabytes_a_minute", std::to_string(megabytes_a_minute));
    EXPECT_LE(writes_a_second, 17);
    EXPECT_LE(megabytes_a_minute, 4);
}

TEST_F(PublisherTest, RefusedLeasesAreEventsOfTheNodeWithinABound) {
    see();
    publisher_->agent_changed();
    pass(seconds(1));
    const auto count = [&] {
        return std::count_if(kube_.sent.begin(), kube_.sent.end(), [](const auto& each) {
            return each.body.find("CmkLeaseRefused") != std::string::npos;
        });
    };
    publisher_->lease_refused("pool exclusive cannot give 1 core");
    pass(seconds(1));
    EXPECT_EQ(count(), 1);
    for (int number = 0; number < 50; ++number)
        publisher_->lease_refused("pool exclusive cannot give 1 core");
    pass(seconds(1));
    EXPECT_LE(count(), 10);
}

TEST_F(PublisherTest, KeepsTheLatestEventsAloneWhileItKnowsNoNode) {
    for (int number = 0; number < 1000; ++number)
        publisher_->lease_refused("refused " + std::to_string(number) + ".");
    see();
    step();
    const auto told = [&](const std::string& what) {
        return std::any_of(kube_.sent.begin(), kube_.sent.end(), [&](const auto& each) {
            return each.body.find(what) != std::string::npos;
        });
    };
    EXPECT_TRUE(told("refused 999."));
    EXPECT_TRUE(told("refused 990."));
    EXPECT_FALSE(told("refused 989."));
}

TEST_F(PublisherTest, MarksANodeWhileItHasAnExclusivePool) {
    const auto marked = [&] {
        const auto& node = kube_.node("n1");
        return node["metadata"].value("labels", nlohmann::json::object()).contains(kNodeLabel) ||
               !node.value("spec", nlohmann::json::object())
                    .value("taints", nlohmann::json::array())
                    .empty();
    };
    const auto pools = std::exchange(state_.pools, {});
    settle();
    EXPECT_FALSE(marked());
    EXPECT_NE(kube_.report("n1"), nullptr);
    state_.pools = pools;
    publisher_->agent_changed();
    settle();
    EXPECT_TRUE(marked());
    EXPECT_EQ(capacity(), "4");
    state_.pools.clear();
    publisher_->agent_changed();
    settle();
    EXPECT_FALSE(marked());
    EXPECT_EQ(capacity(), "none");
}

}  // namespace
}  // namespace cmk::k8s
