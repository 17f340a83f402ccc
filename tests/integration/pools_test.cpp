// SPDX-License-Identifier: Apache-2.0
// init, reload and who may, with a real agent.
#include <signal.h>

#include <fstream>

#include "support/eventually.h"
#include "support/require.h"

namespace cmk::test {
namespace {

class Pools : public testing::Test {
protected:
    void SetUp() override {
        CMK_NEEDS("root");
        CMK_NEEDS("cpuset1");
        agent_ = std::make_unique<AgentProcess>();
        ASSERT_TRUE(agent_->start());
    }
    Command hold() {
        Command program(agent_->ctl_line(
            {"isolate", "--pool", "exclusive", "--", "sh", "-c", "echo ready; exec sleep 60"}));
        EXPECT_TRUE(program.wait_for_output("ready"));
        return program;
    }
    std::unique_ptr<AgentProcess> agent_;
};

TEST_F(Pools, StartingChangesNothing) {
    EXPECT_NE(::access(agent_->group_dir().c_str(), F_OK), 0);
    EXPECT_EQ(agent_->ctl({"status"}).exit, 0);
}

TEST_F(Pools, ADryRunChangesNothing) {
    const Outcome shown =
        agent_->ctl({"init", "--dry-run", "--num-exclusive-cores", "1", "--num-shared-cores", "0"});
    EXPECT_EQ(shown.exit, 0) << shown.err;
    EXPECT_NE(shown.out.find("exclusive"), std::string::npos);
    EXPECT_NE(::access(agent_->group_dir().c_str(), F_OK), 0);
}

TEST_F(Pools, ASecondIdenticalInitDoesNothing) {
    ASSERT_EQ(agent_->init(1, 0).exit, 0);
    Command program = hold();
    const auto before = agent_->lease_groups("exclusive");
    EXPECT_EQ(before.size(), 1U);
    const Outcome again = agent_->init(1, 0);
    EXPECT_EQ(again.exit, 0) << again.err;
    EXPECT_EQ(agent_->lease_groups("exclusive"), before);
}

TEST_F(Pools, AnotherInitIsRefusedWhileALeaseWouldNotFit) {
    ASSERT_EQ(agent_->init(1, 0).exit, 0);
    {
        Command program = hold();
        const Outcome refused = agent_->init(0, 0);
        EXPECT_NE(refused.exit, 0);
        EXPECT_NE(refused.err.find("lease"), std::string::npos) << refused.err;
    }
    EXPECT_TRUE(eventually([&] { return agent_->init(0, 0).exit == 0; }));
}

TEST_F(Pools, TooManyCoresAreRefusedWithCounts) {
    const Outcome refused = agent_->init(8192, 0);
    EXPECT_EQ(refused.exit, 3) << refused.err;
    EXPECT_NE(refused.err.find("8192"), std::string::npos) << refused.err;
}

TEST_F(Pools, InitOutlivesARestart) {
    ASSERT_EQ(agent_->init(1, 0).exit, 0);
    EXPECT_EQ(agent_->stop().exit, 0);
    ASSERT_TRUE(agent_->start());
    EXPECT_EQ(agent_->ctl({"isolate", "--pool", "exclusive", "--", "true"}).exit, 0);
}

TEST_F(Pools, HangupReadsTheConfigurationAgain) {
    std::ofstream(agent_->config_file(), std::ios::app)
        << "[pools.fast]\nkind = \"exclusive\"\ncpus = \"1\"\n";
    agent_->send_signal(SIGHUP);
    EXPECT_TRUE(eventually([&] {
        return agent_->ctl({"isolate", "--pool", "fast", "--", "true"}).exit == 0;
    }));
}

TEST_F(Pools, OnlyThoseWhoMayLease) {
    ASSERT_EQ(agent_->init(1, 0).exit, 0);
    const auto as_nobody = [&](std::vector<std::string> args) {
        return run(agent_->ctl_line(std::move(args)), {.uid = 65534});
    };
    const Outcome refused = as_nobody({"isolate", "--pool", "exclusive", "--", "true"});
    EXPECT_EQ(refused.exit, 125) << refused.err;
    EXPECT_NE(refused.err.find("may not lease"), std::string::npos) << refused.err;
    EXPECT_EQ(as_nobody({"init", "--yes"}).exit, 4);
    EXPECT_EQ(as_nobody({"status"}).exit, 0);
    const Command program = hold();
    EXPECT_EQ(as_nobody({"release", agent_->lease_groups("exclusive").front()}).exit, 4);
}

TEST_F(Pools, AnAllowedUserLeasesAndReleasesItsOwn) {
    std::ofstream(agent_->config_file(), std::ios::app)
        << "[pools.open]\nkind = \"exclusive\"\ncores = 1\nallow_users = [\"nobody\"]\n";
    agent_->send_signal(SIGHUP);
    const auto as_nobody = [&] {
        return run(agent_->ctl_line({"isolate", "--pool", "open", "--", "id", "-un"}),
                   {.uid = 65534});
    };
    EXPECT_TRUE(eventually([&] { return as_nobody().exit == 0; }));
    EXPECT_EQ(as_nobody().out, "nobody\n");
}

}  // namespace
}  // namespace cmk::test
