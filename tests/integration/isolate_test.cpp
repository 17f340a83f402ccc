// SPDX-License-Identifier: Apache-2.0
// cmkctl isolate with a real agent on this machine's real cpusets.
#include <signal.h>

#include <fstream>
#include <sstream>

#include "support/eventually.h"
#include "support/require.h"

namespace cmk::test {
namespace {

constexpr char kAllowed[] = "grep Cpus_allowed_list /proc/self/status | cut -f2";
constexpr char kShowCpus[] =
    "grep Cpus_allowed_list /proc/self/status | cut -f2; echo $CMK_CPUS_ASSIGNED; "
    "taskset -p $$ | sed 's/.*: //'; echo $CMK_CPUS_ASSIGNED_MASK";

/// What a shell without a lease may use here.
std::string own_cpus() {
    return run({"sh", "-c", kAllowed}).out;
}

class Isolate : public testing::Test {
protected:
    void SetUp() override {
        CMK_NEEDS("root");
        CMK_NEEDS("cpuset1");
        agent_ = std::make_unique<AgentProcess>();
        ASSERT_TRUE(agent_->start());
        const Outcome made = agent_->init(1, 0);
        ASSERT_EQ(made.exit, 0) << made.err;
    }

    Outcome isolate(std::vector<std::string> program) {
        return agent_->ctl(isolate_args(std::move(program)));
    }
    static std::vector<std::string> isolate_args(std::vector<std::string> program,
                                                 std::vector<std::string> options = {}) {
        std::vector<std::string> args{"isolate", "--pool", "exclusive"};
        args.insert(args.end(), options.begin(), options.end());
        args.push_back("--");
        args.insert(args.end(), program.begin(), program.end());
        return args;
    }
    Command start(std::vector<std::string> program, std::vector<std::string> options = {}) {
        return Command(agent_->ctl_line(isolate_args(std::move(program), std::move(options))));
    }
    bool pool_is_empty() {
        return eventually([&] { return agent_->lease_groups("exclusive").empty(); });
    }

    std::unique_ptr<AgentProcess> agent_;
};

TEST_F(Isolate, RunsTheProgramOnItsOwnCpusAndTellsItWhich) {
    const Outcome shown = isolate({"sh", "-c", kShowCpus});
    ASSERT_EQ(shown.exit, 0) << shown.err;
    std::istringstream lines(shown.out);
    std::string allowed, told, mask, told_mask;
    lines >> allowed >> told >> mask >> told_mask;
    EXPECT_EQ(allowed, first_core());
    EXPECT_EQ(told, first_core());
    EXPECT_EQ(told_mask, mask);
    EXPECT_EQ(shown.err, "");
    EXPECT_TRUE(pool_is_empty());
}

TEST_F(Isolate, PassesExitStatusAndSignalsOfTheProgramOn) {
    EXPECT_EQ(isolate({"sh", "-c", "exit 7"}).exit, 7);
    EXPECT_EQ(isolate({"sh", "-c", "kill -TERM $$"}).signal, SIGTERM);
    EXPECT_EQ(isolate({"/does/not/exist"}).exit, 127);
    EXPECT_EQ(isolate({"/etc/passwd"}).exit, 126);
    EXPECT_TRUE(pool_is_empty());
}

TEST_F(Isolate, LeavesNoParentBehind) {
    Command program = start({"sh", "-c", "echo $$; exec sleep 60"});
    ASSERT_TRUE(program.wait_for_output("\n"));
    program.send_signal(SIGTERM);
    const Outcome ended = program.finish();
    EXPECT_EQ(ended.signal, SIGTERM);
}

TEST_F(Isolate, SaysSoWhenThePoolRunsOut) {
    Command holder = start({"sh", "-c", "echo ready; exec sleep 60"});
    ASSERT_TRUE(holder.wait_for_output("ready"));
    const Outcome refused = isolate({"true"});
    EXPECT_EQ(refused.exit, 125);
    EXPECT_NE(refused.err.find("exclusive"), std::string::npos) << refused.err;
    EXPECT_NE(refused.err.find("free"), std::string::npos) << refused.err;
}

TEST_F(Isolate, NeverGivesOneCoreToTwo) {
    // Each takes the only core, shows that nobody else holds it by making a file, and waits.
    const std::string mark = agent_->state_dir() + ".mark";
    const std::string script = "mkdir " + mark + " || echo SHARED; sleep 0.02; rmdir " + mark;
    std::vector<Command> programs;
    for (int i = 0; i < 12; ++i)
        programs.push_back(start({"sh", "-c", script}, {"--wait"}));
    for (Command& program : programs) {
        const Outcome ended = program.finish();
        EXPECT_EQ(ended.exit, 0) << ended.err;
        EXPECT_EQ(ended.out, "");
    }
    EXPECT_TRUE(pool_is_empty());
}

TEST_F(Isolate, WaitsForCoresInTurnAndGivesUpInTime) {
    Command holder = start({"sh", "-c", "echo ready; exec sleep 60"});
    ASSERT_TRUE(holder.wait_for_output("ready"));
    const Outcome late = agent_->ctl(isolate_args({"true"}, {"--wait=0.1"}));
    EXPECT_EQ(late.exit, 125);
    EXPECT_NE(late.err.find("in time"), std::string::npos) << late.err;
    Command waiter = start({"echo", "my turn"}, {"--wait"});
    const auto is_waiting = [&] {
        return agent_->ctl({"pools", "-o", "json"}).out.find("\"waiting\": 1") != std::string::npos;
    };
    ASSERT_TRUE(eventually(is_waiting));
    const Outcome behind = isolate({"true"});
    EXPECT_EQ(behind.exit, 125) << "it must not overtake";
    holder.send_signal(SIGKILL);
    EXPECT_EQ(waiter.finish().out, "my turn\n");
}

TEST_F(Isolate, AWaiterThatIsKilledLeavesTheQueue) {
    Command holder = start({"sh", "-c", "echo ready; exec sleep 60"});
    ASSERT_TRUE(holder.wait_for_output("ready"));
    const auto waiting = [&](const char* count) {
        return agent_->ctl({"pools", "-o", "json"})
                   .out.find("\"waiting\": " + std::string(count)) != std::string::npos;
    };
    Command waiter = start({"true"}, {"--wait"});
    ASSERT_TRUE(eventually([&] { return waiting("1"); }));
    waiter.send_signal(SIGKILL);
    (void)waiter.finish();
    EXPECT_TRUE(eventually([&] { return !waiting("1"); }));
}

TEST_F(Isolate, AChildThatOutlivesItsParentKeepsTheLease) {
    Command program = start({"sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!"});
    ASSERT_TRUE(program.wait_for_output("\n"));
    const Outcome ended = program.finish();
    const pid_t child = std::atoi(ended.out.c_str());
    EXPECT_EQ(ended.exit, 0);
    EXPECT_EQ(isolate({"true"}).exit, 125) << "the child still holds the core";
    ::kill(child, SIGKILL);
    EXPECT_TRUE(pool_is_empty());
    EXPECT_EQ(isolate({"true"}).exit, 0);
}

TEST_F(Isolate, KillNineOfTheProgramFreesTheCore) {
    Command program = start({"sh", "-c", "echo ready; exec sleep 60"});
    ASSERT_TRUE(program.wait_for_output("ready"));
    program.send_signal(SIGKILL);
    EXPECT_EQ(program.finish().signal, SIGKILL);
    EXPECT_TRUE(pool_is_empty());
}

TEST_F(Isolate, ReleaseLetsTheProgramRunOnWhereItCameFrom) {
    const std::string go_on = agent_->state_dir() + "/go-on";
    Command program = start({"sh", "-c",
                             "echo ready; until [ -e " + go_on +
                                 " ]; do sleep 0.01; done; "
                                 "grep Cpus_allowed_list /proc/self/status | cut -f2"});
    ASSERT_TRUE(program.wait_for_output("ready"));
    const std::string id = agent_->lease_groups("exclusive").front();
    const Outcome released = agent_->ctl({"release", id});
    EXPECT_EQ(released.exit, 0) << released.err;
    std::ofstream(go_on).close();
    const Outcome ended = program.finish();
    EXPECT_EQ(ended.exit, 0);
    EXPECT_EQ(ended.out, "ready\n" + own_cpus());
    EXPECT_EQ(agent_->ctl({"release", id}).exit, 6);
    EXPECT_TRUE(pool_is_empty());
}

TEST_F(Isolate, ReleaseAllEndsEveryLease) {
    Command program = start({"sh", "-c", "echo ready; exec sleep 60"});
    ASSERT_TRUE(program.wait_for_output("ready"));
    EXPECT_EQ(agent_->ctl({"release"}).exit, 2);
    EXPECT_EQ(agent_->ctl({"release", "--all", "some"}).exit, 2);
    const Outcome released = agent_->ctl({"release", "--all"});
    EXPECT_EQ(released.exit, 0) << released.err;
    EXPECT_TRUE(pool_is_empty());
    program.send_signal(SIGTERM);
    EXPECT_EQ(program.finish().signal, SIGTERM);
    EXPECT_EQ(agent_->ctl({"release", "--all"}).exit, 0);
}

TEST_F(Isolate, NoAffinityReservesWithoutPinning) {
    Command program =
        start({"sh", "-c", std::string(kAllowed) + "; exec sleep 60"}, {"--no-affinity"});
    ASSERT_TRUE(program.wait_for_output("\n"));
    EXPECT_EQ(isolate({"true"}).exit, 125) << "the core is reserved";
    program.send_signal(SIGKILL);
    EXPECT_EQ(program.finish().out, own_cpus());
    EXPECT_TRUE(eventually([&] { return isolate({"true"}).exit == 0; }));
}

TEST_F(Isolate, SharedPoolsTakeAnyNumberOfLeases) {
    std::vector<Command> programs;
    for (int i = 0; i < 5; ++i) {
        programs.emplace_back(agent_->ctl_line(
            {"isolate", "--pool", "infra", "--", "sh", "-c",
             "grep Cpus_allowed_list /proc/self/status | cut -f2; exec sleep 60"}));
    }
    for (Command& program : programs)
        ASSERT_TRUE(program.wait_for_output("\n"));
    EXPECT_EQ(agent_->lease_groups("infra").size(), 5U);
}

TEST_F(Isolate, ARefusalTakesNothing) {
    EXPECT_EQ(agent_->ctl({"isolate", "--pool", "nowhere", "--", "true"}).exit, 125);
    EXPECT_EQ(agent_->ctl({"isolate", "--pool", "exclusive", "--cores", "0", "--", "true"}).exit,
              125);
    EXPECT_EQ(agent_->ctl({"isolate", "--pool", "exclusive", "--cores", "-1", "--", "true"}).exit,
              125);
    EXPECT_EQ(agent_->ctl({"isolate", "--pool", "exclusive", "--cores", "9999", "--", "true"}).exit,
              125);
    EXPECT_EQ(
        agent_->ctl({"isolate", "--pool", "exclusive", "--socket-id", "7", "--", "true"}).exit,
        125);
    EXPECT_TRUE(agent_->lease_groups("exclusive").empty());
    EXPECT_EQ(isolate({"true"}).exit, 0);
}

}  // namespace
}  // namespace cmk::test
