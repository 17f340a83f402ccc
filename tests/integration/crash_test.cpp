// SPDX-License-Identifier: Apache-2.0
// kill -9 of the agent, at rest and in the middle of a request; then a restart.
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "support/eventually.h"
#include "support/require.h"

namespace cmk::test {
namespace {

class Crash : public testing::Test {
protected:
    void SetUp() override {
        CMK_NEEDS("root");
        CMK_NEEDS("cpuset1");
        agent_ = std::make_unique<AgentProcess>();
        ASSERT_TRUE(agent_->start());
        ASSERT_EQ(agent_->init(1, 0).exit, 0);
    }
    Command hold() {
        Command program(agent_->ctl_line(
            {"isolate", "--pool", "exclusive", "--", "sh", "-c", "echo ready; exec sleep 60"}));
        EXPECT_TRUE(program.wait_for_output("ready"));
        return program;
    }
    Outcome isolate() { return agent_->ctl({"isolate", "--pool", "exclusive", "--", "true"}); }
    std::string cpuset_of(pid_t pid) {
        std::ifstream file("/proc/" + std::to_string(pid) + "/cpuset");
        std::string path;
        std::getline(file, path);
        return path;
    }

    std::unique_ptr<AgentProcess> agent_;
};

TEST_F(Crash, ALeaseOutlivesTheAgentAndIsTakenUpAgain) {
    Command program = hold();
    const std::string before = cpuset_of(program.pid());
    agent_->crash();
    EXPECT_EQ(cpuset_of(program.pid()), before);
    ASSERT_TRUE(agent_->start());
    EXPECT_EQ(cpuset_of(program.pid()), before) << "no lease moves";
    EXPECT_EQ(isolate().exit, 125) << "the core is not given twice";
    program.send_signal(SIGKILL);
    (void)program.finish();
    EXPECT_TRUE(eventually([&] { return isolate().exit == 0; }));
}

TEST_F(Crash, AProgramThatEndedMeanwhileGivesItsCoreBack) {
    {
        Command program = hold();
        agent_->crash();
    }
    ASSERT_TRUE(agent_->start());
    EXPECT_TRUE(agent_->lease_groups("exclusive").empty());
    EXPECT_EQ(isolate().exit, 0);
}

TEST_F(Crash, AChildThatIsLeftKeepsTheLeaseOverARestart) {
    Command program(agent_->ctl_line({"isolate", "--pool", "exclusive", "--", "sh", "-c",
                                      "sleep 60 >/dev/null 2>&1 & echo $!"}));
    const Outcome ended = program.finish();
    const pid_t child = std::atoi(ended.out.c_str());
    agent_->crash();
    ASSERT_TRUE(agent_->start());
    EXPECT_EQ(isolate().exit, 125);
    ::kill(child, SIGKILL);
    EXPECT_TRUE(eventually([&] { return isolate().exit == 0; }));
}

TEST_F(Crash, StopAndStartKeepLeasesToo) {
    Command program = hold();
    EXPECT_EQ(agent_->stop().exit, 0);
    ASSERT_TRUE(agent_->start());
    EXPECT_EQ(isolate().exit, 125);
}

TEST_F(Crash, ALeaseWithoutItsStateFileIsAdopted) {
    Command program = hold();
    agent_->crash();
    std::filesystem::remove_all(agent_->state_dir());
    ASSERT_TRUE(agent_->start());
    EXPECT_EQ(isolate().exit, 125) << "a core someone runs on is never free";
    program.send_signal(SIGKILL);
    (void)program.finish();
    EXPECT_TRUE(eventually([&] { return isolate().exit == 0; }));
}

TEST_F(Crash, DamagedStateIsSetAsideAndTheLeaseKept) {
    Command program = hold();
    agent_->crash();
    for (const auto& entry : std::filesystem::directory_iterator(agent_->state_dir())) {
        if (entry.path().extension() == ".lease") {
            std::filesystem::resize_file(entry.path(), 40);
        }
    }
    std::ofstream(agent_->state_dir() + "/feedbeef.lease") << "something else entirely\n";
    ASSERT_TRUE(agent_->start());
    EXPECT_EQ(isolate().exit, 125);
    EXPECT_TRUE(std::filesystem::exists(agent_->state_dir() + "/feedbeef.lease.bad"));
    const std::string log = agent_->stop().err;
    EXPECT_NE(log.find("feedbeef.lease"), std::string::npos) << log;
}

/// The agent is killed at the n-th call of a kind while it serves a request.
class CrashMidRequest : public testing::TestWithParam<std::string> {};

TEST_P(CrashMidRequest, LeaksNothing) {
    CMK_NEEDS("root");
    CMK_NEEDS("cpuset1");
    CMK_NEEDS("strace");
    AgentProcess agent;
    ASSERT_TRUE(agent.start());
    ASSERT_EQ(agent.init(1, 0).exit, 0);
    {
        const std::string trace = agent.state_dir() + ".trace";
        Command tracer({"strace", "-q", "-o", trace, "-e", "inject=" + GetParam(), "-p",
                        std::to_string(agent.pid())});
        const auto is_traced = [&] {
            std::ifstream status("/proc/" + std::to_string(agent.pid()) + "/status");
            std::string line;
            while (std::getline(status, line)) {
                if (line.rfind("TracerPid:", 0) == 0) return line != "TracerPid:\t0";
            }
            return false;
        };
        ASSERT_TRUE(eventually(is_traced));
        const Outcome cut_off = agent.ctl({"isolate", "--pool", "exclusive", "--", "true"});
        EXPECT_TRUE(cut_off.exit == 125 || cut_off.exit == 0) << cut_off.err;
        EXPECT_EQ(agent.finish().signal, SIGKILL) << "the injection did not happen";
    }
    ASSERT_TRUE(agent.start());
    EXPECT_TRUE(eventually([&] { return agent.lease_groups("exclusive").empty(); }));
    const Outcome again = agent.ctl({"isolate", "--pool", "exclusive", "--", "true"});
    EXPECT_EQ(again.exit, 0) << again.err;
    EXPECT_EQ(agent.ctl({"verify"}).exit, 0);
}

INSTANTIATE_TEST_SUITE_P(At, CrashMidRequest,
                         testing::Values("mkdirat:signal=KILL:when=1",            // the group
                                         "sched_setaffinity:signal=KILL:when=1",  // attached
                                         "renameat:signal=KILL:when=1",           // the commit
                                         "sendto:signal=KILL:when=1",             // the reply
                                         "unlinkat:signal=KILL:when=1"),          // its end
                         [](const auto& of) { return of.param.substr(0, of.param.find(':')); });

}  // namespace
}  // namespace cmk::test
