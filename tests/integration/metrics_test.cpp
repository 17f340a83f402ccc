// SPDX-License-Identifier: Apache-2.0
// What Prometheus gets of a real agent.
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "support/eventually.h"
#include "support/metrics_page.h"
#include "support/promtool.h"
#include "support/require.h"

namespace cmk::test {
namespace {

class MetricsTest : public testing::Test {
protected:
    void SetUp() override {
        CMK_NEEDS("root");
        CMK_NEEDS("cpuset1");
        agent_ = std::make_unique<AgentProcess>();
        ASSERT_TRUE(agent_->start());
        ASSERT_EQ(agent_->init(1, 0).exit, 0);
        std::string dir = "/tmp/cmk-test-XXXXXX";
        ASSERT_NE(::mkdtemp(dir.data()), nullptr);
        dir_ = dir;
    }
    void TearDown() override {
        agent_.reset();
        if (!dir_.empty()) std::filesystem::remove_all(dir_);
    }
    std::string file() const {
        std::ifstream stream(dir_ + "/cmk.prom");
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    std::string written(const std::string& series) const { return value_in(file(), series); }

    std::unique_ptr<AgentProcess> agent_;
    std::string dir_;
};

TEST_F(MetricsTest, ThePageIsAsPrometheusWantsItAndAsTheDocumentationSays) {
    ASSERT_EQ(agent_->ctl({"isolate", "--pool", "exclusive", "--", "true"}).exit, 0);
    EXPECT_EQ(agent_->ctl({"isolate", "--pool", "none", "--", "true"}).exit, 125);
    const Outcome page = agent_->ctl({"metrics"});
    ASSERT_EQ(page.exit, 0) << page.err;
    expect_valid_metrics(page.out);
    EXPECT_EQ(families_of(page.out), documented_families(::getenv("CMK_SOURCE_DIR"), "Agent"));
    EXPECT_EQ(value_in(page.out, "cmk_agent_up"), "1");
    EXPECT_EQ(value_in(page.out, "cmk_leases_granted_total{pool=\"exclusive\"}"), "1");
    EXPECT_EQ(value_in(page.out, "cmk_leases_refused_total{pool=\"\",reason=\"unknown_pool\"}"),
              "1");
    EXPECT_EQ(value_in(page.out, "cmk_lease_grant_duration_seconds_count"), "1");
}

TEST_F(MetricsTest, ATextfileIsWrittenForEverybodyAndSaysWhenTheAgentIsAway) {
    ASSERT_EQ(agent_->ctl({"metrics", "--textfile", dir_}).exit, 0);
    EXPECT_EQ(written("cmk_agent_up"), "1");
    const auto mode = std::filesystem::status(dir_ + "/cmk.prom").permissions();
    EXPECT_EQ(static_cast<unsigned>(mode), 0644U);
    agent_->stop();
    const Outcome away = agent_->ctl({"metrics", "--textfile", dir_});
    EXPECT_EQ(away.exit, 5);
    EXPECT_EQ(written("cmk_agent_up"), "0");
    EXPECT_EQ(written("cmk_agent_problems"), "");
    expect_valid_metrics(file());
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_), {}), 1);
    EXPECT_EQ(agent_->ctl({"metrics", "--textfile", dir_ + "/none"}).exit, 1);
}

TEST_F(MetricsTest, AFollowerHearsOfAnAgentThatGoes) {
    Command follower(agent_->ctl_line({"metrics", "--textfile", dir_, "--follow"}));
    EXPECT_TRUE(eventually([&] { return written("cmk_agent_up") == "1"; }));
    agent_->stop();
    EXPECT_TRUE(eventually([&] { return written("cmk_agent_up") == "0"; }));
    follower.send_signal(SIGTERM);
    const Outcome ended = follower.finish();
    EXPECT_EQ(ended.exit, 0) << ended.err;
    EXPECT_NE(ended.err.find("cannot reach the agent"), std::string::npos) << ended.err;
}

}  // namespace
}  // namespace cmk::test
