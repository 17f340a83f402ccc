// SPDX-License-Identifier: Apache-2.0
// What the agent counts, as its page for Prometheus shows it.
#include <cstdlib>

#include "support/manager_fixture.h"
#include "support/metrics_page.h"

namespace cmk {
namespace {

class AgentMetricsTest : public ManagerFixture {
protected:
    std::string page() const {
        auto text = manager->metrics(Peer{});
        return text ? *text : text.error().message;
    }
    std::string value(const std::string& series) const { return test::value_in(page(), series); }
    std::string refused(const std::string& pool, const std::string& reason) const {
        return value("cmk_leases_refused_total{pool=\"" + pool + "\",reason=\"" + reason + "\"}");
    }
    std::string grades(const char* grade) const {
        return value("cmk_leases{pool=\"exclusive\",grade=\"" + std::string(grade) + "\"}");
    }
};

TEST_F(AgentMetricsTest, TheDocumentationListsThemAll) {
    auto families = test::families_of(page());
    families["cmk_agent_up"] = "gauge";  // cmkctl adds it
    EXPECT_EQ(families, test::documented_families(std::getenv("CMK_SOURCE_DIR"), "Agent"));
}

TEST_F(AgentMetricsTest, TellsOfTheAgent) {
    EXPECT_EQ(value("cmk_agent_info{version=\"1.2.3\",mechanism=\"cgroup v1 cpuset\"}"), "1");
    EXPECT_EQ(value("cmk_agent_start_time_seconds"), "1700000000");
    EXPECT_EQ(value("cmk_agent_problems"), "0");
    EXPECT_EQ(value("cmk_agent_config_in_force"), "1");
    EXPECT_EQ(value("cmk_agent_audits_total"), "1");
    EXPECT_EQ(value("cmk_agent_last_audit_timestamp_seconds"), "1700000000");
}

TEST_F(AgentMetricsTest, WhatTheFirstStartOfABootMakesIsNoRepair) {
    EXPECT_EQ(value("cmk_agent_repairs_total"), "0");
    cgroups.tree = {};
    ASSERT_TRUE(start_manager("boot-2"));
    EXPECT_EQ(value("cmk_agent_repairs_total"), "0");
    cgroups.tree = {};
    ASSERT_TRUE(start_manager("boot-2"));
    EXPECT_EQ(value("cmk_agent_repairs_total"), "1") << "somebody removed the groups";
}

TEST_F(AgentMetricsTest, CountsLeases) {
    ASSERT_TRUE(isolate(100));
    ASSERT_TRUE(isolate(101, "exclusive", 2));
    ASSERT_TRUE(isolate(102, "shared"));
    end_process(100);
    EXPECT_EQ(value("cmk_leases_granted_total{pool=\"exclusive\"}"), "2");
    EXPECT_EQ(value("cmk_leases_granted_total{pool=\"shared\"}"), "1");
    EXPECT_EQ(value("cmk_leases_granted_total{pool=\"infra\"}"), "0");
    EXPECT_EQ(value("cmk_leases_ended_total{pool=\"exclusive\"}"), "1");
    EXPECT_EQ(value("cmk_lease_grant_duration_seconds_count"), "3");
    EXPECT_EQ(value("cmk_pool_cores{pool=\"exclusive\",kind=\"exclusive\"}"), "4");
    EXPECT_EQ(value("cmk_pool_free_cores{pool=\"exclusive\",kind=\"exclusive\"}"), "2");
    EXPECT_EQ(value("cmk_pool_leases{pool=\"shared\",kind=\"shared\"}"), "1");
    EXPECT_EQ(grades("C"), "1");
    EXPECT_EQ(grades("A") + grades("B") + grades("D"), "000");
}

TEST_F(AgentMetricsTest, CountsRefusalsByPoolAndReason) {
    EXPECT_EQ(refused("exclusive", "not_enough_cpus"), "0");
    EXPECT_FALSE(isolate(100, "exclusive", 5));
    EXPECT_EQ(refused("exclusive", "not_enough_cpus"), "1");
    EXPECT_FALSE(isolate(101, "nowhere\"\n"));
    EXPECT_FALSE(isolate(101, "elsewhere"));
    EXPECT_EQ(refused("", "unknown_pool"), "2");
    manager->isolate(peer(102, 1000), order("exclusive", 1), [](const Result<Grant>&) {});
    EXPECT_EQ(refused("exclusive", "not_permitted"), "1");
    EXPECT_EQ(page().find("nowhere"), std::string::npos);
    EXPECT_EQ(value("cmk_lease_grant_duration_seconds_count"), "0");
}

TEST_F(AgentMetricsTest, AWaitThatIsOverIsARefusalAndOneThatIsServedIsNone) {
    ASSERT_TRUE(isolate(100, "exclusive", 4));
    wait_for(101);
    wait_for(102, 1, 60'000);
    EXPECT_EQ(value("cmk_pool_waiting{pool=\"exclusive\",kind=\"exclusive\"}"), "2");
    loop.advance(1000);
    EXPECT_EQ(refused("exclusive", "timed_out"), "1");
    end_process(100);
    EXPECT_EQ(value("cmk_pool_waiting{pool=\"exclusive\",kind=\"exclusive\"}"), "0");
    EXPECT_EQ(value("cmk_leases_granted_total{pool=\"exclusive\"}"), "2");
    EXPECT_EQ(refused("exclusive", "not_enough_cpus"), "0");
    config.limits.waiting = 0;
    ASSERT_TRUE(start_manager(kBoot));
    ASSERT_TRUE(isolate(103, "exclusive", 3));
    wait_for(104, 1);
    EXPECT_EQ(refused("exclusive", "too_many"), "1");
}

TEST_F(AgentMetricsTest, ForgetsPoolsThatAreGone) {
    ASSERT_TRUE(isolate(100, "shared"));
    end_process(100);
    ASSERT_TRUE(
        manager->reconfigure(Peer{}, {pool_spec("exclusive", PoolKind::exclusive, 2U)}, false));
    EXPECT_EQ(page().find("\"shared\""), std::string::npos);
    EXPECT_EQ(value("cmk_agent_reconfigurations_total"), "1");
    ASSERT_TRUE(manager->reconfigure(Peer{}, three_pools(), false));
    EXPECT_EQ(value("cmk_leases_granted_total{pool=\"shared\"}"), "0");
    EXPECT_EQ(value("cmk_agent_reconfigurations_total"), "2");
}

TEST_F(AgentMetricsTest, ConfigurationsThatAreRefusedAreSeenUntilOneIsTaken) {
    read_config = [] { return make_error(Errc::invalid_argument, "agent.toml:1: no"); };
    EXPECT_FALSE(manager->reload(Peer{}));
    EXPECT_EQ(value("cmk_agent_config_in_force"), "0");
    read_config = [this] { return Result<Config>(config); };
    EXPECT_TRUE(manager->reload(Peer{}));
    EXPECT_EQ(value("cmk_agent_config_in_force"), "1");
}

TEST_F(AgentMetricsTest, LeasesThatLoseTheirCpusAreMovedOrSeen) {
    ASSERT_TRUE(isolate(100, "exclusive", 4));
    offline = leases().front().cpus;
    manager->machine_changed();
    EXPECT_EQ(value("cmk_leases_without_cpus{pool=\"exclusive\"}"), "1");
    EXPECT_EQ(value("cmk_offline_cpus"), "8");
    offline = CpuSet{};
    manager->machine_changed();
    EXPECT_EQ(value("cmk_leases_without_cpus{pool=\"exclusive\"}"), "0");
    end_process(100);
    ASSERT_TRUE(isolate(101));
    offline = leases().front().cpus;
    manager->machine_changed();
    EXPECT_EQ(value("cmk_lease_moves_total{pool=\"exclusive\"}"), "1");
    EXPECT_EQ(value("cmk_leases_without_cpus{pool=\"exclusive\"}"), "0");
}

TEST_F(AgentMetricsTest, AContainerThatSeesItsOwnLeasesOnlyIsRefused) {
    Peer inside = peer(100);
    inside.container = true;
    const auto at_lease_socket = manager->metrics(inside);
    ASSERT_FALSE(at_lease_socket);
    EXPECT_EQ(at_lease_socket.error().code, Errc::not_permitted);
    EXPECT_NE(at_lease_socket.error().message.find("/run/cmk-observe"), std::string::npos);
    inside.role = SocketRole::observe;
    EXPECT_TRUE(manager->metrics(inside));
}

}  // namespace
}  // namespace cmk
