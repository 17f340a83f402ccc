// SPDX-License-Identifier: Apache-2.0
// Callers that see other ids than the agent: in PID and user namespaces of their own.
#include <sched.h>
#include <signal.h>

#include "support/eventually.h"
#include "support/require.h"

namespace cmk::test {
namespace {

constexpr char kShow[] = "echo pid $$ on $(grep Cpus_allowed_list /proc/self/status | cut -f2)";

class Namespaces : public testing::TestWithParam<unsigned> {
protected:
    void SetUp() override {
        CMK_NEEDS("root");
        CMK_NEEDS("cpuset1");
        ASSERT_TRUE(agent_.start());
        ASSERT_EQ(agent_.init(1, 0).exit, 0);
    }
    Command start(const std::string& script) {
        return Command(
            agent_.ctl_line({"isolate", "--pool", "exclusive", "--", "sh", "-c", script}),
            {.clone_flags = GetParam()});
    }
    AgentProcess agent_;
};

TEST_P(Namespaces, TheCallerIsPinnedAndItsLeaseEndsWithIt) {
    const Outcome shown = start(kShow).finish();
    EXPECT_EQ(shown.exit, 0) << shown.err;
    EXPECT_NE(shown.out.find(" on 0\n"), std::string::npos) << shown.out;
    EXPECT_TRUE(eventually([&] { return agent_.lease_groups("exclusive").empty(); }));
}

TEST_P(Namespaces, TheLeaseNamesTheProcessAsTheHostKnowsIt) {
    Command program = start("echo ready; exec sleep 60");
    ASSERT_TRUE(program.wait_for_output("ready"));
    const std::string leases = agent_.ctl({"leases", "-o", "json"}).out;
    EXPECT_NE(leases.find("\"pid\": " + std::to_string(program.pid())), std::string::npos)
        << leases;
    program.send_signal(SIGKILL);
    (void)program.finish();
    EXPECT_TRUE(eventually([&] { return agent_.lease_groups("exclusive").empty(); }));
}

INSTANTIATE_TEST_SUITE_P(Of, Namespaces,
                         testing::Values(CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWPID | CLONE_NEWUSER),
                         [](const auto& of) {
                             const bool pid = (of.param & CLONE_NEWPID) != 0;
                             const bool user = (of.param & CLONE_NEWUSER) != 0;
                             return std::string(pid ? "Pid" : "") + (user ? "User" : "");
                         });

TEST(PidNamespace, RootInsideMayNotAdminister) {
    CMK_NEEDS("root");
    CMK_NEEDS("cpuset1");
    AgentProcess agent;
    ASSERT_TRUE(agent.start());
    const Outcome refused = run(
        agent.ctl_line({"init", "--yes", "--num-exclusive-cores", "1", "--num-shared-cores", "0"}),
        {.clone_flags = CLONE_NEWPID});
    EXPECT_EQ(refused.exit, 4) << refused.err;
    EXPECT_NE(refused.err.find("host"), std::string::npos) << refused.err;
}

}  // namespace
}  // namespace cmk::test
