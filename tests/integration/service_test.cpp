// SPDX-License-Identifier: Apache-2.0
// The agent as systemd runs it: with sockets and pidfds that were passed to it, and a socket for
// its messages. The test is systemd.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "support/eventually.h"
#include "support/require.h"

namespace cmk::test {
namespace {

/// Descriptors are passed from these numbers, which no library takes.
constexpr int kFirstSpare = 40;

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

UniqueFd bind_socket(const std::string& path, int type) {
    UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    const sockaddr_un address = address_of(path);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
}

class ServiceTest : public testing::Test {
protected:
    static constexpr std::array<const char*, 3> kNames{"agent", "observe", "admin"};

    void SetUp() override {
        CMK_NEEDS("root");
        CMK_NEEDS("cpuset1");
        // The numbers below are the agent's: what the test opens comes behind them.
        while (fillers_.size() < 16)
            fillers_.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
        std::string dir = "/tmp/cmk-test-XXXXXX";
        ASSERT_NE(::mkdtemp(dir.data()), nullptr);
        dir_ = dir;
        notify_ = bind_socket(dir_ + "/notify", SOCK_DGRAM);
        for (const char* name : kNames) {
            const UniqueFd listener = bind_socket(path(name), SOCK_STREAM);
            const int on = 1;
            ::setsockopt(listener.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
            ASSERT_EQ(::listen(listener.get(), 16), 0);
            pass(name, listener);
        }
        agent_ = std::make_unique<AgentProcess>(
            AgentProcess::Setup{.wrapper = {"bash", dir_ + "/start"}});
    }
    void TearDown() override {
        agent_.reset();
        if (!dir_.empty()) std::filesystem::remove_all(dir_);
    }

    std::string path(const std::string& name) const { return dir_ + "/" + name; }

    /// Passes a descriptor to the agents that are started from now on.
    void pass(const std::string& name, const UniqueFd& fd) {
        passed_.emplace_back(::fcntl(fd.get(), F_DUPFD, kFirstSpare));
        names_ += (names_.empty() ? "" : ":") + name;
    }
    bool start() {
        std::ofstream script(dir_ + "/start");
        script << "export LISTEN_PID=$$ LISTEN_FDS=" << passed_.size()
               << " LISTEN_FDNAMES=" << names_ << " NOTIFY_SOCKET=" << dir_
               << "/notify WATCHDOG_PID=$$ WATCHDOG_USEC=1000000\nexec";
        int number = 3;
        for (const UniqueFd& fd : passed_)
            script << " " << number++ << "<&" << fd.get() << " " << fd.get() << "<&-";
        script << " \"$@\"\n";
        script.close();
        return agent_->start();
    }

    std::vector<std::string> ctl_line(const std::string& socket,
                                      std::vector<std::string> args) const {
        std::vector<std::string> line{built("cli/cmkctl"), "--socket", path(socket)};
        line.insert(line.end(), args.begin(), args.end());
        return line;
    }
    Outcome ctl(std::vector<std::string> args) {
        drain();
        return run(ctl_line("agent", std::move(args)));
    }
    /// As a container does: from a PID namespace of its own.
    Outcome contained(const std::string& socket, std::vector<std::string> args) {
        drain();
        return run(ctl_line(socket, std::move(args)), {.clone_flags = CLONE_NEWPID});
    }
    Outcome init() { return ctl(kInit); }

    /// Reads the agent's messages up to one that begins so; what came with it is in fd_.
    std::string message(const std::string& begin) {
        std::string text;
        EXPECT_TRUE(eventually([&] {
            while (receive(text)) {
                if (text.rfind(begin, 0) == 0) return true;
            }
            return false;
        })) << begin;
        return text;
    }
    /// A queue that nobody reads would stop the agent.
    void drain() {
        for (std::string text; receive(text);) {
        }
    }
    bool receive(std::string& text) {
        char buffer[512];
        alignas(cmsghdr) char control[256] = {};
        iovec part{buffer, sizeof buffer};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        const ssize_t count = ::recvmsg(notify_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (count < 0) return false;
        text.assign(buffer, static_cast<std::size_t>(count));
        const cmsghdr* rights = CMSG_FIRSTHDR(&header);
        int fd = -1;
        if (rights != nullptr && rights->cmsg_type == SCM_RIGHTS) {
            std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
        }
        fd_.reset(fd);
        return true;
    }

    const std::vector<std::string> kInit{
        "init", "--yes", "--num-exclusive-cores", "1", "--num-shared-cores", "0"};
    std::vector<UniqueFd> fillers_;
    std::string dir_;
    UniqueFd notify_;
    UniqueFd fd_;
    std::vector<UniqueFd> passed_;
    std::string names_;
    std::unique_ptr<AgentProcess> agent_;
};

TEST_F(ServiceTest, SaysThatItServesWithItsStatus) {
    ASSERT_TRUE(start());
    EXPECT_EQ(message("READY=1"), "READY=1\nSTATUS=0 pools, 0 leases");
    ASSERT_EQ(init().exit, 0);
    EXPECT_EQ(message("STATUS="), "STATUS=3 pools, 0 leases");
    message("WATCHDOG=1");
    agent_->send_signal(SIGHUP);
    message("RELOADING=1\nMONOTONIC_USEC=");
    message("READY=1");
    EXPECT_EQ(agent_->stop().exit, 0);
    message("STOPPING=1");
}

TEST_F(ServiceTest, RequestsWaitWhileNoAgentRuns) {
    ASSERT_TRUE(start());
    ASSERT_EQ(init().exit, 0);
    agent_->crash();
    Command program(ctl_line("agent", {"isolate", "--pool", "exclusive", "--", "true"}));
    ASSERT_TRUE(start());
    const Outcome outcome = program.finish();
    EXPECT_EQ(outcome.exit, 0) << outcome.err;
}

TEST_F(ServiceTest, AWaitingRequestGoesOnToTheNextAgent) {
    ASSERT_TRUE(start());
    ASSERT_EQ(init().exit, 0);
    const std::vector<std::string> hold{
        "isolate", "--pool", "exclusive", "--wait", "--", "sh", "-c", "echo ready; exec sleep 60"};
    Command first(ctl_line("agent", hold));
    ASSERT_TRUE(first.wait_for_output("ready"));
    Command second(ctl_line("agent", hold));
    const auto waits = [&] {
        drain();
        return ctl({"pools", "-o", "json"}).out.find("\"waiting\": 1") != std::string::npos;
    };
    ASSERT_TRUE(eventually(waits));
    EXPECT_EQ(agent_->stop().exit, 0);
    ASSERT_TRUE(start());
    EXPECT_TRUE(eventually(waits));
    first.send_signal(SIGKILL);
    EXPECT_TRUE(second.wait_for_output("ready"));
    second.send_signal(SIGKILL);
    (void)first.finish();
    (void)second.finish();
}

TEST_F(ServiceTest, ABadConfigurationLeavesTheOneInForceUntilItIsMended) {
    ASSERT_TRUE(start());
    ASSERT_EQ(init().exit, 0);
    EXPECT_EQ(agent_->stop().exit, 0);
    const std::string bad = agent_->config_file() + ".d/99-bad.toml";
    std::ofstream(bad) << "[agent]\ncolour = 7\n";
    ASSERT_TRUE(start());
    const std::string status = ctl({"status", "-o", "json"}).out;
    EXPECT_NE(status.find("colour"), std::string::npos) << status;
    EXPECT_EQ(ctl({"isolate", "--pool", "exclusive", "--", "true"}).exit, 0);
    std::filesystem::remove(bad);
    agent_->send_signal(SIGHUP);
    EXPECT_TRUE(eventually([&] {
        drain();
        return ctl({"status", "-o", "json"}).out.find("colour") == std::string::npos;
    }));
}

TEST_F(ServiceTest, PidfdsOutliveTheAgent) {
    ASSERT_TRUE(start());
    ASSERT_EQ(init().exit, 0);
    Command program(ctl_line("agent", {"isolate", "--pool", "exclusive", "--", "sh", "-c",
                                       "echo ready; exec sleep 60"}));
    ASSERT_TRUE(program.wait_for_output("ready"));
    const std::string stored = message("FDSTORE=1\nFDPOLL=0\nFDNAME=");
    const std::string lease = stored.substr(stored.rfind('=') + 1);
    ASSERT_TRUE(fd_);
    agent_->crash();
    pass(lease, fd_);
    ASSERT_TRUE(start());
    EXPECT_NE(ctl({"leases"}).out.find(lease), std::string::npos);
    program.send_signal(SIGKILL);
    (void)program.finish();
    EXPECT_EQ(message("FDSTOREREMOVE=1"), "FDSTOREREMOVE=1\nFDNAME=" + lease);
    EXPECT_TRUE(eventually([&] { return agent_->lease_groups("exclusive").empty(); }));
}

TEST_F(ServiceTest, AContainerMayWhatItsSocketIsFor) {
    ASSERT_TRUE(start());
    ASSERT_EQ(init().exit, 0);
    Command program(ctl_line("agent", {"isolate", "--pool", "exclusive", "--", "sh", "-c",
                                       "echo ready; exec sleep 60"}));
    ASSERT_TRUE(program.wait_for_output("ready"));
    const auto sees = [&](const std::string& socket) {
        return contained(socket, {"leases", "-o", "json"}).out.find("\"pid\"") != std::string::npos;
    };
    EXPECT_FALSE(sees("agent"));
    EXPECT_TRUE(sees("observe"));
    EXPECT_TRUE(sees("admin"));
    for (const char* socket : {"agent", "observe"}) {
        const Outcome refused = contained(socket, kInit);
        EXPECT_EQ(refused.exit, 4) << socket << refused.err;
    }
    EXPECT_EQ(contained("admin", kInit).exit, 0);
    EXPECT_EQ(contained("observe", {"isolate", "--pool", "infra", "--", "true"}).exit, 0);
}

}  // namespace
}  // namespace cmk::test
