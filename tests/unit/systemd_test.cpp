// SPDX-License-Identifier: Apache-2.0
// What passes between systemd and the agent: descriptors in, messages to $NOTIFY_SOCKET out.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "agent/fd_store.h"
#include "agent/notifier.h"
#include "agent/passed_fds.h"
#include "support/fake_loop.h"

namespace cmk {
namespace {

UniqueFd some_fd() {
    return UniqueFd(::eventfd(0, EFD_CLOEXEC));
}

std::vector<std::pair<std::string, UniqueFd>> named(std::vector<std::string> names) {
    std::vector<std::pair<std::string, UniqueFd>> fds;
    for (std::string& name : names)
        fds.emplace_back(std::move(name), some_fd());
    return fds;
}

TEST(PassedFds, AreSortedByName) {
    auto fds = named({"admin", "0a1b2c3d", "agent", "uevent", "observe", "4e5f6a7b"});
    const int uevent = fds[3].second.get();
    const PassedFds passed = sort_passed_fds(std::move(fds));
    ASSERT_EQ(passed.listeners.size(), 3U);
    EXPECT_EQ(passed.listeners[0].first, SocketRole::admin);
    EXPECT_EQ(passed.listeners[1].first, SocketRole::lease);
    EXPECT_EQ(passed.listeners[2].first, SocketRole::observe);
    EXPECT_EQ(passed.uevent.get(), uevent);
    EXPECT_EQ(passed.pidfds.size(), 2U);
    EXPECT_EQ(passed.pidfds.count("0a1b2c3d"), 1U);
}

TEST(PassedFds, NeverBlockTheLoop) {
    const PassedFds passed = sort_passed_fds(named({"agent", "uevent"}));
    for (const int fd : {passed.listeners.front().second.get(), passed.uevent.get()}) {
        EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    }
}

TEST(PassedFds, NothingIsPassedOutsideOfSystemd) {
    ::unsetenv("LISTEN_PID");
    const PassedFds passed = take_passed_fds();
    EXPECT_TRUE(passed.listeners.empty());
    EXPECT_TRUE(passed.pidfds.empty());
    EXPECT_FALSE(passed.uevent);
}

/// systemd's end of $NOTIFY_SOCKET.
class NotifySocket : public testing::Test {
protected:
    void SetUp() override {
        std::string dir = std::filesystem::temp_directory_path() / "cmk-test-XXXXXX";
        ASSERT_NE(::mkdtemp(dir.data()), nullptr);
        dir_ = dir;
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = dir_ + "/notify";
        std::memcpy(address.sun_path, path.data(), path.size());
        socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    }
    void TearDown() override {
        ::unsetenv("NOTIFY_SOCKET");
        std::filesystem::remove_all(dir_);
    }

    /// The next message, "" when there is none; what came with it is in fd_.
    std::string message() {
        char text[512];
        alignas(cmsghdr) char control[256] = {};
        iovec part{text, sizeof text};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        const ssize_t count = ::recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        fd_.reset();
        for (cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr; at = CMSG_NXTHDR(&header, at)) {
            int fd = -1;
            if (at->cmsg_type != SCM_RIGHTS) continue;
            std::memcpy(&fd, CMSG_DATA(at), sizeof fd);
            fd_.reset(fd);
        }
        return count < 0 ? "" : std::string(text, static_cast<std::size_t>(count));
    }

    std::string dir_;
    UniqueFd socket_;
    UniqueFd fd_;
};

TEST_F(NotifySocket, FdStoreHandsOverAndTakesBack) {
    FdStoreSystemd store({});
    const UniqueFd pidfd = some_fd();
    store.put("0a1b2c3d", pidfd.get());
    EXPECT_EQ(message(), "FDSTORE=1\nFDPOLL=0\nFDNAME=0a1b2c3d");
    EXPECT_TRUE(fd_);
    store.remove("0a1b2c3d");
    EXPECT_EQ(message(), "FDSTOREREMOVE=1\nFDNAME=0a1b2c3d");
}

TEST_F(NotifySocket, FdStoreGivesWhatWasPassedOnceAndDropsTheRest) {
    std::map<std::string, UniqueFd> passed;
    passed["0a1b2c3d"] = some_fd();
    passed["4e5f6a7b"] = some_fd();
    FdStoreSystemd store(std::move(passed));
    EXPECT_TRUE(store.take("0a1b2c3d"));
    EXPECT_FALSE(store.take("0a1b2c3d"));
    EXPECT_FALSE(store.take("other"));
    store.drop_rest();
    EXPECT_EQ(message(), "FDSTOREREMOVE=1\nFDNAME=4e5f6a7b");
    EXPECT_EQ(message(), "");
}

TEST_F(NotifySocket, NotifierTellsEachStateWithItsLine) {
    FakeLoop loop;
    Notifier notifier(loop, [] { return std::string("3 pools, 1 lease"); });
    notifier.ready();
    EXPECT_EQ(message(), "READY=1\nSTATUS=3 pools, 1 lease");
    notifier.reloading();
    EXPECT_EQ(message().rfind("RELOADING=1\nMONOTONIC_USEC=", 0), 0U);
    notifier.stopping();
    EXPECT_EQ(message().rfind("STOPPING=1\n", 0), 0U);
}

TEST_F(NotifySocket, ManyChangesAreToldOnce) {
    FakeLoop loop;
    unsigned leases = 0;
    Notifier notifier(loop, [&] { return std::to_string(leases) + " leases"; });
    for (; leases < 100; ++leases)
        notifier.changed();
    EXPECT_EQ(message(), "");
    loop.advance(1000);
    EXPECT_EQ(message(), "STATUS=100 leases");
    EXPECT_EQ(message(), "");
    notifier.changed();
    loop.advance(1000);
    EXPECT_EQ(message(), "STATUS=100 leases");
}

TEST(Notifier, IsSilentWithoutSystemd) {
    ::unsetenv("NOTIFY_SOCKET");
    FakeLoop loop;
    Notifier notifier(loop, [] { return std::string(); });
    notifier.changed();
    EXPECT_EQ(loop.timers(), 0U);
    FdStoreSystemd store({});
    store.put("0a1b2c3d", some_fd().get());
    store.remove("0a1b2c3d");
}

}  // namespace
}  // namespace cmk
