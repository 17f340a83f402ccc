// SPDX-License-Identifier: Apache-2.0
// Sockets as systemd makes them: several, each with a role, and with PassCredentials=.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "agent/processes_kernel.h"
#include "agent/varlink_server.h"
#include "support/manager_fixture.h"

namespace cmk {
namespace {

class VarlinkSocketsTest : public ManagerFixture {
protected:
    void SetUp() override {
        ManagerFixture::SetUp();
        sd_event* made = nullptr;
        ASSERT_GE(::sd_event_new(&made), 0);
        event.reset(made);
        server = std::make_unique<VarlinkServer>(
            VarlinkServer::Ports{event.get(), kernel, cgroups, log}, limits,
            [this](VarlinkConnection& connection, const std::string&, std::vector<UniqueFd> fds) {
                roles.push_back(connection.peer.role);
                fd_counts.push_back(fds.size());
            },
            [](VarlinkConnection&) {});
    }
    void TearDown() override {
        server.reset();
        event.reset();
        ManagerFixture::TearDown();
    }

    sockaddr_un address_of(const std::string& name) const {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = state_dir + "/" + name;
        std::memcpy(address.sun_path, path.data(), path.size());
        return address;
    }
    UniqueFd make_listener(const std::string& name) const {
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        const sockaddr_un address = address_of(name);
        EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        const int on = 1;
        ::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
        EXPECT_EQ(::listen(fd.get(), 16), 0);
        return fd;
    }
    UniqueFd connect(const std::string& name) const {
        UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_un address = address_of(name);
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
                  0);
        return fd;
    }
    /// Sends one message with copies of a descriptor, and lets the server read it.
    void send(const UniqueFd& client, unsigned copies = 0) const {
        char text[] = "{}";
        iovec part{text, sizeof text};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
        if (copies > 0) {
            message.msg_control = control;
            message.msg_controllen = CMSG_SPACE(copies * sizeof(int));
            cmsghdr* header = CMSG_FIRSTHDR(&message);
            header->cmsg_level = SOL_SOCKET;
            header->cmsg_type = SCM_RIGHTS;
            header->cmsg_len = CMSG_LEN(copies * sizeof(int));
            const std::vector<int> fds(copies, client.get());
            std::memcpy(CMSG_DATA(header), fds.data(), copies * sizeof(int));
        }
        EXPECT_GT(::sendmsg(client.get(), &message, MSG_NOSIGNAL), 0);
        while (::sd_event_run(event.get(), 0) > 0) {
        }
    }

    Limits limits;
    ProcessesKernel kernel;
    EventHandle event;
    std::unique_ptr<VarlinkServer> server;
    std::vector<SocketRole> roles;
    std::vector<std::size_t> fd_counts;
};

TEST_F(VarlinkSocketsTest, EachSocketGivesItsRole) {
    const std::pair<const char*, SocketRole> kSockets[] = {{"agent", SocketRole::lease},
                                                           {"observe", SocketRole::observe},
                                                           {"admin", SocketRole::admin}};
    for (const auto& [name, role] : kSockets)
        ASSERT_TRUE(server->listen_on(make_listener(name), role));
    for (const auto& [name, role] : kSockets) {
        roles.clear();
        send(connect(name));
        EXPECT_EQ(roles, std::vector<SocketRole>{role}) << name;
    }
}

TEST_F(VarlinkSocketsTest, ASocketOfItsOwnIsForLeases) {
    ASSERT_TRUE(server->listen(state_dir + "/own"));
    send(connect("own"));
    EXPECT_EQ(roles, std::vector<SocketRole>{SocketRole::lease});
}

TEST_F(VarlinkSocketsTest, OneMoreIsOfferedWhereItIsAskedFor) {
    const std::string first = state_dir + "/first";
    const auto fd = server->offer(first, {});
    ASSERT_TRUE(fd) << fd.error().message;
    EXPECT_GE(*fd, 0);
    struct stat info {};
    ASSERT_EQ(::stat(first.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0666U);
    send(connect("first"));
    ASSERT_TRUE(server->offer(state_dir + "/second", {}));
    EXPECT_NE(::stat(first.c_str(), &info), 0);
    send(connect("second"));
    EXPECT_EQ(roles, (std::vector<SocketRole>{SocketRole::lease, SocketRole::lease}));
    const auto none = server->offer("", {});
    ASSERT_TRUE(none);
    EXPECT_EQ(*none, -1);
    EXPECT_NE(::stat((state_dir + "/second").c_str(), &info), 0);
}

TEST_F(VarlinkSocketsTest, TheSocketOfAnEarlierAgentIsServedOn) {
    UniqueFd kept = make_listener("kept");
    const UniqueFd waiting = connect("kept");
    const int fd = kept.get();
    EXPECT_EQ(server->offer(state_dir + "/kept", std::move(kept)).value(), fd);
    send(waiting);
    EXPECT_EQ(roles, std::vector<SocketRole>{SocketRole::lease});
    // One that is no longer at its path would be waited on in vain.
    UniqueFd lost = make_listener("lost");
    const int old = lost.get();
    ASSERT_EQ(::unlink((state_dir + "/lost").c_str()), 0);
    EXPECT_NE(server->offer(state_dir + "/lost", std::move(lost)).value(), old);
    send(connect("lost"));
}

TEST_F(VarlinkSocketsTest, DescriptorsArriveBesideCredentials) {
    ASSERT_TRUE(server->listen_on(make_listener("agent"), SocketRole::lease));
    const UniqueFd client = connect("agent");
    send(client, 1);
    send(client, 2);
    EXPECT_EQ(fd_counts, (std::vector<std::size_t>{1, 2}));
}

}  // namespace
}  // namespace cmk
