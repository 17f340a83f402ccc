// SPDX-License-Identifier: Apache-2.0
// Reconfigure and reload.
#include "support/manager_fixture.h"

namespace cmk {
namespace {

class ManagerPoolsTest : public ManagerFixture {
protected:
    static std::vector<PoolSpec> two_exclusive_cores() {
        auto specs = three_pools();
        specs[0].size = 2U;
        return specs;
    }
    std::string exclusive_cpus() const { return manager->list_pools()[0].pool.cpus.to_cpulist(); }
};

TEST_F(ManagerPoolsTest, ReconfigureMovesCoresBetweenPools) {
    const auto report = manager->reconfigure(Peer{}, two_exclusive_cores(), false);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->changed);
    EXPECT_FALSE(report->changes.empty());
    EXPECT_EQ(exclusive_cpus(), "0-1,8-9");
    EXPECT_EQ(cgroups.tree.pools.at("exclusive").cpus.to_cpulist(), "0-1,8-9");
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].kind, Event::Kind::pools_changed);
}

TEST_F(ManagerPoolsTest, TheSamePoolsTwiceChangeNothing) {
    ASSERT_TRUE(manager->reconfigure(Peer{}, two_exclusive_cores(), false));
    cgroups.calls.clear();
    const auto again = manager->reconfigure(Peer{}, two_exclusive_cores(), false);
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->changed);
    EXPECT_TRUE(again->changes.empty());
    EXPECT_TRUE(cgroups.calls.empty());
    EXPECT_EQ(events.size(), 1U);
}

TEST_F(ManagerPoolsTest, DryRunOnlyTells) {
    const auto files = state_files();
    const auto report = manager->reconfigure(Peer{}, two_exclusive_cores(), true);
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->changed);
    EXPECT_EQ(report->pools[0].cores, 2U);
    EXPECT_EQ(exclusive_cpus(), "0-3,8-11");
    EXPECT_EQ(state_files(), files);
    EXPECT_TRUE(events.empty());
}

TEST_F(ManagerPoolsTest, LiveLeasesThatWouldNotFitStandInTheWay) {
    ASSERT_TRUE(isolate(100, "exclusive", 3));
    const auto tree = cgroups.tree;
    for (const bool dry_run : {true, false}) {
        const auto refused = manager->reconfigure(Peer{}, two_exclusive_cores(), dry_run);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::conflict);
    }
    EXPECT_EQ(cgroups.tree, tree);
    EXPECT_EQ(exclusive_cpus(), "0-3,8-11");
}

TEST_F(ManagerPoolsTest, LiveLeasesThatFitStay) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    ASSERT_TRUE(manager->reconfigure(Peer{}, two_exclusive_cores(), false));
    EXPECT_EQ(leases().size(), 1U);
    EXPECT_EQ(cgroups.find({"exclusive", grant->lease})->cpus, grant->cpus);
}

TEST_F(ManagerPoolsTest, AFailedReconfigureLeavesEverythingAsItWas) {
    ASSERT_TRUE(isolate(100));
    auto specs = two_exclusive_cores();
    specs.push_back(pool_spec("more", PoolKind::exclusive, 1U));
    const auto tree = cgroups.tree;
    const auto files = state_files();
    for (unsigned n = 1;; ++n) {
        cgroups.fail_call(n, EIO);
        const auto report = manager->reconfigure(Peer{}, specs, false);
        if (!cgroups.has_failed()) {
            EXPECT_TRUE(report);
            EXPECT_GE(n, 3U);
            break;
        }
        ASSERT_FALSE(report) << "call " << n;
        EXPECT_EQ(cgroups.tree, tree) << "call " << n;
        EXPECT_EQ(state_files(), files) << "call " << n;
        EXPECT_EQ(exclusive_cpus(), "0-3,8-11");
    }
}

TEST_F(ManagerPoolsTest, PoolsThatCannotBeKeptAreTakenBackWithTheirRights) {
    write_pools = [](const std::vector<PoolSpec>&) -> Status {
        return make_error(Errc::io, "disk full");
    };
    auto specs = two_exclusive_cores();
    specs[0].access.users = {"daemon"};
    const auto tree = cgroups.tree;
    ASSERT_FALSE(manager->reconfigure(Peer{}, specs, false));
    EXPECT_EQ(cgroups.tree, tree);
    EXPECT_EQ(exclusive_cpus(), "0-3,8-11");
    Result<Grant> answer = make_error(Errc::internal, "no answer");
    manager->isolate(peer(100, 1), order("exclusive", 1),
                     [&](Result<Grant> result) { answer = std::move(result); });
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::not_permitted);
}

TEST_F(ManagerPoolsTest, ReconfigureIsForRoot) {
    const auto refused = manager->reconfigure(peer(100, 1000), two_exclusive_cores(), true);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_permitted);
}

TEST_F(ManagerPoolsTest, ImpossiblePoolsAreRefused) {
    auto specs = three_pools();
    specs[0].size = 100U;
    EXPECT_EQ(manager->reconfigure(Peer{}, specs, false).error().code, Errc::not_enough_cpus);
    specs = three_pools();
    specs[1].name = "exclusive";
    EXPECT_EQ(manager->reconfigure(Peer{}, specs, false).error().code, Errc::invalid_argument);
}

TEST_F(ManagerPoolsTest, RemovingAllPoolsRemovesTheirGroups) {
    ASSERT_TRUE(manager->reconfigure(Peer{}, {}, false));
    EXPECT_TRUE(cgroups.tree.pools.empty());
    EXPECT_FALSE(cgroups.tree.root);
    EXPECT_TRUE(manager->list_pools().empty());
}

TEST_F(ManagerPoolsTest, TheOriginalsDirectoryGetsASocketWhenAsked) {
    ASSERT_TRUE(manager->reconfigure(Peer{}, three_pools(), false));
    EXPECT_EQ(offered, "");
    ASSERT_TRUE(manager->reconfigure(Peer{}, three_pools(), false, true));
    EXPECT_EQ(offered, "/etc/cmk");
    // It stays when pools change later.
    ASSERT_TRUE(manager->reconfigure(Peer{}, two_exclusive_cores(), false));
    EXPECT_EQ(offered, "/etc/cmk");
    offering = make_error(Errc::io, "it is read-only");
    const auto report = manager->reconfigure(Peer{}, three_pools(), false);
    ASSERT_TRUE(report);
    ASSERT_EQ(report->warnings.size(), 1U);
    EXPECT_NE(report->warnings[0].find("it is read-only"), std::string::npos);
}

TEST_F(ManagerPoolsTest, ReloadTakesWhatTheFilesSay) {
    config.pools = two_exclusive_cores();
    const auto report = manager->reload(Peer{});
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->changed);
    EXPECT_EQ(exclusive_cpus(), "0-1,8-9");
    EXPECT_EQ(manager->reload(peer(100, 1000)).error().code, Errc::not_permitted);
}

TEST_F(ManagerPoolsTest, ABadConfigurationLeavesTheOldOneInForce) {
    read_config = []() -> Result<Config> {
        return make_error(Errc::invalid_argument, "agent.toml:3: bad");
    };
    EXPECT_FALSE(manager->reload(Peer{}));
    manager->reload_on_signal();
    EXPECT_EQ(exclusive_cpus(), "0-3,8-11");
}

TEST_F(ManagerPoolsTest, LargerPoolServesWhoWaits) {
    ASSERT_TRUE(isolate(100, "exclusive", 4));
    wait_for(101);
    auto specs = three_pools();
    specs[0].size = 5U;
    ASSERT_TRUE(manager->reconfigure(Peer{}, specs, false));
    ASSERT_EQ(answers.count(101), 1U);
    EXPECT_TRUE(answers.at(101));
}

TEST_F(ManagerPoolsTest, WhatKubeletHasGivenAwayIsTold) {
    kubelet = {.policy = "static", .given = {3, 11}};
    manager->kubelet_changed();
    manager->kubelet_changed();
    ASSERT_EQ(events.size(), 1U) << "the same is told once";
    EXPECT_EQ(events[0].kind, Event::Kind::pools_changed);
    EXPECT_NE(events[0].reason.find("CPUs 3,11"), std::string::npos) << events[0].reason;
    EXPECT_EQ(manager->describe_host(Peer{}).problems, std::vector{events[0].reason});

    const auto report = manager->reconfigure(Peer{}, two_exclusive_cores(), true);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->warnings.size(), 0U) << "with these pools they would not overlap";
    const auto same = manager->reconfigure(Peer{}, three_pools(), true);
    ASSERT_TRUE(same);
    ASSERT_EQ(same->warnings.size(), 1U);
    EXPECT_NE(same->warnings[0].find("reservedSystemCPUs: \""), std::string::npos);

    kubelet = {.policy = "none"};
    manager->kubelet_changed();
    EXPECT_EQ(events.size(), 2U);
    EXPECT_TRUE(manager->describe_host(Peer{}).problems.empty());
}

TEST_F(ManagerPoolsTest, ALeaseOfCpusThatKubeletHasGivenAwayFailsItsCheck) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    const auto failed = [this] {
        const auto verdicts = manager->verify(Peer{}, "");
        EXPECT_TRUE(verdicts);
        const Check& last = verdicts->front().checks.back();
        EXPECT_EQ(last.what, "kubelet");
        return !last.passed && !verdicts->front().passed;
    };
    kubelet = {.policy = "static", .given = {7}};
    EXPECT_FALSE(failed());
    kubelet.given = leases().front().cpus;
    EXPECT_TRUE(failed());
}

TEST_F(ManagerPoolsTest, KubeletMayGiveTheCpusOfThePoolInfra) {
    ASSERT_TRUE(isolate(100, "infra"));
    kubelet = {.policy = "static", .given = leases().front().cpus};
    const auto verdicts = manager->verify(Peer{}, "");
    ASSERT_TRUE(verdicts);
    EXPECT_TRUE(verdicts->front().passed);
    EXPECT_EQ(verdicts->front().checks.back().what, "kubelet");
    EXPECT_NE(verdicts->front().checks.back().evidence, "");
}

}  // namespace
}  // namespace cmk
