// SPDX-License-Identifier: Apache-2.0
// The client against sockets that answer as an agent might, or as none should.
#include "ipc/client.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <thread>

#include "base/file_io.h"

namespace cmk {
namespace {

using namespace std::string_literals;

class ClientTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "cmk-test-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        dir_ = name;
        listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path().data(), path().size());
        ASSERT_EQ(
            ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
            0);
        ASSERT_EQ(::listen(listener_.get(), 1), 0);
    }
    void TearDown() override { std::filesystem::remove_all(dir_); }

    std::string path() const { return dir_ + "/agent.sock"; }

    /// A client, and in agent_ the other end.
    Client connect() {
        auto client = Client::connect(path());
        EXPECT_TRUE(client);
        agent_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        return *std::move(client);
    }
    void send(const std::string& bytes) const {
        EXPECT_EQ(::send(agent_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(bytes.size()));
    }
    /// What the client sent, and in passed_ the descriptor that came along.
    std::string received() {
        char bytes[4096];
        alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))] = {};
        iovec part{bytes, sizeof bytes};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        const ssize_t count = ::recvmsg(agent_.get(), &message, MSG_CMSG_CLOEXEC);
        if (const cmsghdr* header = CMSG_FIRSTHDR(&message)) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
            passed_.reset(fd);
        }
        return count > 0 ? std::string(bytes, static_cast<std::size_t>(count)) : "";
    }
    /// The error of a call that is answered by these bytes and the end of the connection.
    Error answered(const std::string& bytes) {
        Client client = connect();
        send(bytes);
        ::shutdown(agent_.get(), SHUT_WR);
        const auto pools = client.call<std::vector<PoolReport>>(wire::ListPools{});
        EXPECT_FALSE(pools) << bytes;
        return pools ? Error{} : pools.error();
    }

    std::string dir_;
    UniqueFd listener_;
    UniqueFd agent_;
    UniqueFd passed_;
};

TEST_F(ClientTest, CallsAndReadsTheAnswer) {
    Client client = connect();
    send(wire::encode(std::vector<PoolReport>(3)) + '\0');
    const auto pools = client.call<std::vector<PoolReport>>(wire::ListPools{});
    ASSERT_TRUE(pools) << pools.error().message;
    EXPECT_EQ(pools->size(), 3U);
    EXPECT_EQ(received(), "{\"method\":\"org.cmk.Agent.ListPools\",\"parameters\":{}}\0"s);
}

TEST_F(ClientTest, IsolateSendsAPidfdOfItself) {
    Client client = connect();
    Grant grant{.lease = "l1", .cpus = {2, 3}};
    send(wire::encode(grant) + '\0');
    const auto answer = client.isolate({.what = {.pool = "exclusive", .cores = 2}});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(*answer, grant);
    EXPECT_NE(received().find("\"pidfd\":0"), std::string::npos);
    const auto info = read_file_at(AT_FDCWD, "/proc/self/fdinfo/" + std::to_string(passed_.get()));
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_NE(info->find("Pid:\t" + std::to_string(::getpid()) + "\n"), std::string::npos) << *info;
}

TEST_F(ClientTest, AStreamOfRepliesIsReadOneByOne) {
    Client client = connect();
    ASSERT_TRUE(client.subscribe(wire::Monitor{}));
    EXPECT_NE(received().find("\"more\":true"), std::string::npos);
    send(wire::encode(std::optional<Event>()) + '\0' +
         wire::encode(std::optional<Event>(Event{.kind = Event::Kind::pools_changed})) + '\0');
    const auto stands = client.receive<std::optional<Event>>();
    ASSERT_TRUE(stands);
    EXPECT_FALSE(*stands);
    const auto event = client.receive<std::optional<Event>>();
    ASSERT_TRUE(event && *event);
    EXPECT_EQ((*event)->kind, Event::Kind::pools_changed);
}

TEST_F(ClientTest, AnAnswerMayComeInPieces) {
    Client client = connect();
    const std::string answer = wire::encode(std::vector<PoolReport>(200)) + '\0';
    ASSERT_GT(answer.size(), 16384U);
    send(answer);
    const auto pools = client.call<std::vector<PoolReport>>(wire::ListPools{});
    ASSERT_TRUE(pools) << pools.error().message;
    EXPECT_EQ(pools->size(), 200U);
}

TEST_F(ClientTest, AnAgentThatIsAwayIsNamedWithWhatToDo) {
    const auto missing = Client::connect(dir_ + "/other.sock");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::unavailable);
    EXPECT_EQ(missing.error().message,
              "cannot reach the agent at " + dir_ +
                  "/other.sock: No such file or directory; is cmk-agent running? (systemctl status "
                  "cmk-agent)");
    listener_.reset();
    const auto ended = Client::connect(path());
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, Errc::unavailable);
    EXPECT_NE(ended.error().message.find("cmk-agent has ended; start it"), std::string::npos);
}

TEST_F(ClientTest, ASocketPathThatCannotBeOneIsRefused) {
    for (const std::string& bad : {std::string(), std::string(108, 'x')}) {
        const auto client = Client::connect(bad);
        ASSERT_FALSE(client);
        EXPECT_EQ(client.error().code, Errc::invalid_argument);
        EXPECT_NE(client.error().message.find("107 bytes at most"), std::string::npos);
    }
    EXPECT_EQ(Client::connect(std::string(107, 'x')).error().code, Errc::unavailable);
}

TEST_F(ClientTest, AnAgentThatClosesIsToldFromOneThatRefuses) {
    for (const std::string& partial : {""s, "{\"parameters\":{"s}) {
        const Error error = answered(partial);
        EXPECT_EQ(error.code, Errc::unavailable);
        EXPECT_EQ(error.message, "the agent closed the connection without an answer; see its log");
    }
}

TEST_F(ClientTest, AnAgentThatEndsBetweenTwoCallsAndIsNotFollowedIsNamed) {
    Client client = connect();
    agent_.reset();
    listener_.reset();
    const auto pools = client.call<std::vector<PoolReport>>(wire::ListPools{});
    ASSERT_FALSE(pools);
    EXPECT_EQ(pools.error().code, Errc::unavailable);
    EXPECT_NE(pools.error().message.find("cmk-agent has ended; start it"), std::string::npos);
}

TEST_F(ClientTest, ACallThatNoAgentHasReadIsMadeToTheNext) {
    Client client = connect();
    std::thread agents([&] {
        // The call is there, and nobody reads it.
        pollfd call{agent_.get(), POLLIN, 0};
        EXPECT_EQ(::poll(&call, 1, -1), 1);
        for (int answers = 0; answers < 2; ++answers) {
            agent_.reset();
            agent_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            EXPECT_NE(received().find(answers == 0 ? "ListPools" : "Release"), std::string::npos);
            send(answers == 0 ? wire::encode(std::vector<PoolReport>(1)) + '\0'
                              : wire::encode_empty() + '\0');
        }
    });
    const auto pools = client.call<std::vector<PoolReport>>(wire::ListPools{});
    EXPECT_TRUE(pools) << pools.error().message;
    // Closed already, or closed under the call: both are the next agent's.
    const auto released = client.call<wire::Nothing>(wire::Release{"l1"});
    agents.join();
    EXPECT_TRUE(released) << released.error().message;
}

TEST_F(ClientTest, AnErrorSentBeforeTheConnectionClosedIsRead) {
    Client client = connect();
    send(wire::encode_failure(wire::to_failure(make_error(Errc::too_many, "too many"))) + '\0');
    agent_.reset();
    const auto pools = client.call<std::vector<PoolReport>>(wire::ListPools{});
    ASSERT_FALSE(pools);
    EXPECT_EQ(pools.error().code, Errc::too_many);
    EXPECT_EQ(pools.error().message, "too many");
}

TEST_F(ClientTest, AnAgentThatIsEndingIsFollowedByTheNext) {
    Client client = connect();
    const std::string ending =
        wire::encode_failure(wire::to_failure(make_error(Errc::restarting, "ending"))) + '\0';
    std::vector<std::string> calls;
    std::thread agents([&] {
        for (int number = 0; number < 2; ++number) {
            calls.push_back(received());
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            send(ending);
            agent_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        }
        calls.push_back(received());
        send(wire::encode(Grant{.lease = "l1"}) + '\0');
    });
    const auto grant = client.isolate({.what = {.pool = "exclusive"}, .wait_ms = 60'000});
    agents.join();
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_EQ(grant->lease, "l1");
    // What it has waited already counts.
    EXPECT_NE(calls[0].find("\"wait_ms\":60000"), std::string::npos) << calls[0];
    EXPECT_NE(calls[2].find("\"wait_ms\":599"), std::string::npos) << calls[2];
}

TEST_F(ClientTest, TellsOnceThatNoAnswerComes) {
    Client client = connect();
    unsigned told = 0;
    client.on_silence([&] {
        ++told;
        send(wire::encode_empty() + '\0');
    });
    EXPECT_TRUE(client.call<wire::Nothing>(wire::Release{"l1"}));
    EXPECT_EQ(told, 1U);
    send(wire::encode_empty() + '\0');
    EXPECT_TRUE(client.call<wire::Nothing>(wire::Release{"l2"}));
    EXPECT_EQ(told, 1U);
}

TEST_F(ClientTest, AgentsThatEndAgainAndAgainAreGivenUp) {
    Client client = connect();
    const std::string ending =
        wire::encode_failure(wire::to_failure(make_error(Errc::restarting, "ending"))) + '\0';
    std::thread agents([&] {
        for (int number = 0; number < 21; ++number) {
            if (number > 0) {
                agent_.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            }
            send(ending);
        }
    });
    const auto pools = client.call<std::vector<PoolReport>>(wire::ListPools{});
    agents.join();
    ASSERT_FALSE(pools);
    EXPECT_EQ(pools.error().code, Errc::restarting);
}

TEST_F(ClientTest, MalformedAnswersAreNotUnderstood) {
    for (const std::string& bytes : {"\0"s, "no JSON\0"s, "[]\0"s, "{}\0"s, "{\"parameters\":7}\0"s,
                                     "{\"parameters\":{\"pools\":{}}}\0"s,
                                     "{\"parameters\":{\"pools\":[{}]}}\0"s, "{\"error\":7}\0"s}) {
        const Error error = answered(bytes);
        EXPECT_EQ(error.code, Errc::unavailable) << bytes;
        EXPECT_FALSE(error.message.empty()) << bytes;
    }
    EXPECT_EQ(answered("{}\0"s).message,
              "the agent's answer is not understood (pools: is missing); are cmk-agent and this "
              "program of one version?");
}

TEST_F(ClientTest, AnEndlessAnswerIsGivenUp) {
    std::optional<Client> client = connect();
    std::thread agent([this] {
        const std::string piece(1U << 16, 'x');
        while (::send(agent_.get(), piece.data(), piece.size(), MSG_NOSIGNAL) > 0) {
        }
    });
    const auto answer = client->receive<wire::Nothing>();
    client.reset();
    agent.join();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::unavailable);
    EXPECT_EQ(answer.error().message, "the agent's answer is too long");
}

}  // namespace
}  // namespace cmk
