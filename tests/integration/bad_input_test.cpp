// SPDX-License-Identifier: Apache-2.0
// What goes wrong outside: each a clear error, nothing changed, and the agent serves on.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>

#include "support/eventually.h"
#include "support/require.h"

namespace cmk::test {
namespace {

UniqueFd connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return fd;
}

/// Sends bytes and reads until the agent answers or closes.
std::string talk(const AgentProcess& agent, const std::string& bytes) {
    const UniqueFd fd = connect_to(agent.socket());
    ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    char buffer[4096];
    const ssize_t count = ::recv(fd.get(), buffer, sizeof buffer, 0);
    return count > 0 ? std::string(buffer, static_cast<std::size_t>(count)) : "";
}

std::string message(const std::string& json) {
    return json + '\0';
}

class BadInput : public testing::Test {
protected:
    void SetUp() override {
        CMK_NEEDS("root");
        CMK_NEEDS("cpuset1");
        agent_ = std::make_unique<AgentProcess>(
            AgentProcess::Setup{.config = "[limits]\nconnections_per_caller = 20\n"
                                          "request_seconds = 1\n"});
        ASSERT_TRUE(agent_->start());
        ASSERT_EQ(agent_->init(1, 0).exit, 0);
    }
    void TearDown() override {
        if (!agent_) return;
        const Outcome served = agent_->ctl({"isolate", "--pool", "exclusive", "--", "true"});
        EXPECT_EQ(served.exit, 0) << "the agent no longer serves: " << served.err;
    }
    std::unique_ptr<AgentProcess> agent_;
};

TEST_F(BadInput, MalformedMessagesAreAnswered) {
    EXPECT_NE(talk(*agent_, message("{")).find("not JSON"), std::string::npos);
    EXPECT_NE(talk(*agent_, message("[]")).find("error"), std::string::npos);
    EXPECT_NE(
        talk(*agent_, message(R"({"method":"org.cmk.Agent.Nothing"})")).find("MethodNotFound"),
        std::string::npos);
    EXPECT_NE(talk(*agent_, message(R"({"method":"org.cmk.Agent.Isolate",)"
                                    R"("parameters":{"pool":"exclusive","cores":-1}})"))
                  .find("cores"),
              std::string::npos);
    EXPECT_NE(talk(*agent_, message(R"({"method":"org.cmk.Agent.Isolate",)"
                                    R"("parameters":{"pool":7}})"))
                  .find("pool"),
              std::string::npos);
}

TEST_F(BadInput, AnOversizedMessageIsRefused) {
    EXPECT_NE(talk(*agent_, std::string(200000, 'x')).find("longer than"), std::string::npos);
}

TEST_F(BadInput, HalfOpenConnectionsAreBoundedAndTimedOut) {
    std::vector<UniqueFd> flood;
    for (int i = 0; i < 40; ++i)
        flood.push_back(connect_to(agent_->socket()));
    char buffer[512];
    const ssize_t refused = ::recv(flood.back().get(), buffer, sizeof buffer, 0);
    ASSERT_GT(refused, 0);
    EXPECT_NE(std::string(buffer, static_cast<std::size_t>(refused)).find("connections open"),
              std::string::npos);
    const ssize_t late = ::recv(flood.front().get(), buffer, sizeof buffer, 0);
    ASSERT_GT(late, 0);
    EXPECT_NE(std::string(buffer, static_cast<std::size_t>(late)).find("no whole request"),
              std::string::npos);
}

TEST_F(BadInput, SurplusAndWrongDescriptorsAreRefused) {
    const auto send_with = [&](int fd_to_send, int count) {
        const UniqueFd fd = connect_to(agent_->socket());
        std::string text = message(R"({"method":"org.cmk.Agent.Isolate",)"
                                   R"("parameters":{"pool":"exclusive","pidfd":0}})");
        iovec part{text.data(), text.size()};
        alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))] = {};
        msghdr packet{};
        packet.msg_iov = &part;
        packet.msg_iovlen = 1;
        packet.msg_control = control;
        const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(int);
        packet.msg_controllen = CMSG_SPACE(bytes);
        cmsghdr* header = CMSG_FIRSTHDR(&packet);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(bytes);
        for (int i = 0; i < count; ++i) {
            std::memcpy(CMSG_DATA(header) + static_cast<std::size_t>(i) * sizeof(int), &fd_to_send,
                        sizeof(int));
        }
        ::sendmsg(fd.get(), &packet, MSG_NOSIGNAL);
        char buffer[1024];
        const ssize_t got = ::recv(fd.get(), buffer, sizeof buffer, 0);
        return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : "";
    };
    const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_NE(send_with(null.get(), 1).find("not a pidfd"), std::string::npos);
    EXPECT_NE(send_with(null.get(), 2).find("exactly one"), std::string::npos);
    EXPECT_NE(talk(*agent_, message(R"({"method":"org.cmk.Agent.Isolate",)"
                                    R"("parameters":{"pool":"exclusive","pidfd":0}})"))
                  .find("exactly one"),
              std::string::npos);
}

TEST_F(BadInput, ACallerThatDiesMidRequestTakesNothing) {
    for (int i = 0; i < 20; ++i) {
        Command caller(agent_->ctl_line({"isolate", "--pool", "exclusive", "--", "true"}));
        ::poll(nullptr, 0, i % 4);
        caller.send_signal(SIGKILL);
        (void)caller.finish();
    }
    EXPECT_TRUE(eventually([&] { return agent_->lease_groups("exclusive").empty(); }));
}

TEST_F(BadInput, ABadConfigurationIsNotLoaded) {
    std::ofstream(agent_->config_file(), std::ios::app) << "[pools.exclusive]\nkind = \"most\"\n";
    agent_->send_signal(SIGHUP);
    const Outcome pools = agent_->ctl({"pools"});
    EXPECT_EQ(pools.exit, 0);
    EXPECT_NE(pools.out.find("exclusive"), std::string::npos);
    const Outcome check =
        run({built("agent/cmk-agent"), "--check-config", "--config", agent_->config_file()});
    EXPECT_NE(check.exit, 0);
    EXPECT_NE(check.err.find("agent.toml:"), std::string::npos) << check.err;
}

TEST(Unreachable, ThereIsNoAgent) {
    const Outcome status = run({built("cli/cmkctl"), "--socket", "/nowhere/agent.sock", "status"});
    EXPECT_EQ(status.exit, 5);
    EXPECT_NE(status.err.find("/nowhere/agent.sock"), std::string::npos) << status.err;
    const Outcome isolate = run({built("cli/cmkctl"), "--socket", "/nowhere/agent.sock", "isolate",
                                 "--pool", "exclusive", "--", "true"});
    EXPECT_EQ(isolate.exit, 125);
}

TEST(TwoAgents, DoNotShareAGroupOrAStateDirectory) {
    CMK_NEEDS("root");
    CMK_NEEDS("cpuset1");
    AgentProcess agent;
    ASSERT_TRUE(agent.start());
    ASSERT_EQ(agent.init(1, 0).exit, 0);
    const Outcome same_state =
        run({built("agent/cmk-agent"), "--foreground", "--config", agent.config_file(),
             "--state-dir", agent.state_dir(), "--socket", agent.socket() + "2", "--bus", "none"});
    EXPECT_NE(same_state.exit, 0);
    EXPECT_NE(same_state.err.find("another agent"), std::string::npos) << same_state.err;
    const Outcome same_group = run({built("agent/cmk-agent"), "--foreground", "--config",
                                    agent.config_file(), "--state-dir", agent.state_dir() + "2",
                                    "--socket", agent.socket() + "2", "--bus", "none"});
    EXPECT_NE(same_group.exit, 0);
    EXPECT_NE(same_group.err.find("another agent"), std::string::npos) << same_group.err;
}

}  // namespace
}  // namespace cmk::test
