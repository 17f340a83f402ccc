// SPDX-License-Identifier: Apache-2.0
// The agent on a real dbus-daemon, called as other programs would.
#include <signal.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>

#include "base/handle.h"
#include "ipc/names.h"
#include "support/eventually.h"
#include "support/require.h"
#include "support/test_bus.h"

namespace cmk::test {
namespace {

using MessageHandle = Handle<sd_bus_message, sd_bus_message_unref>;

class DBus : public testing::Test {
protected:
    void SetUp() override {
        CMK_NEEDS("root");
        CMK_NEEDS("cpuset1");
        CMK_NEEDS("dbus");
        bus_ = std::make_unique<TestBus>();
        ASSERT_NE(bus_->address(), "");
        agent_ = std::make_unique<AgentProcess>(AgentProcess::Setup{.bus = bus_->address()});
        ASSERT_TRUE(agent_->start());
        ASSERT_EQ(agent_->init(1, 0).exit, 0);
        client_ = connect_to_bus(bus_->address());
    }

    std::unique_ptr<TestBus> bus_;
    std::unique_ptr<AgentProcess> agent_;
    BusHandle client_;
};

/// Leases for itself over D-Bus, in a process of its own, and shows where it may run.
int isolate_and_report(const std::string& address, int report_fd) {
    sd_bus* bus = nullptr;
    ::sd_bus_new(&bus);
    ::sd_bus_set_address(bus, address.c_str());
    ::sd_bus_set_bus_client(bus, 1);
    if (::sd_bus_start(bus) < 0) return 1;
    sd_bus_error error{};
    sd_bus_message* reply = nullptr;
    const int result = ::sd_bus_call_method(bus, kBusName, kBusPath, kBusInterface, "Isolate",
                                            &error, &reply, "sua{sv}", "exclusive", 1U, 0);
    std::string text = result < 0 ? error.name : "";
    const char* lease = nullptr;
    const char* cpus = nullptr;
    if (result >= 0 && ::sd_bus_message_read(reply, "ss", &lease, &cpus) >= 0) text = cpus;
    text += "\n";
    (void)!::write(report_fd, text.data(), text.size());
    ::pause();
    return 0;
}

TEST_F(DBus, ACallerIsolatesItself) {
    int report[2] = {-1, -1};
    ASSERT_EQ(::pipe(report), 0);
    const UniqueFd reader(report[0]);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(isolate_and_report(bus_->address(), report[1]));
    ::close(report[1]);
    char buffer[64] = {};
    EXPECT_GT(::read(reader.get(), buffer, sizeof buffer - 1), 0);
    EXPECT_EQ(std::string(buffer), first_core() + "\n");
    EXPECT_EQ(agent_->lease_groups("exclusive").size(), 1U);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(eventually([&] { return agent_->lease_groups("exclusive").empty(); }));
}

TEST_F(DBus, ErrorsHaveNames) {
    sd_bus_error error{};
    const int result =
        ::sd_bus_call_method(client_.get(), kBusName, kBusPath, kBusInterface, "Isolate", &error,
                             nullptr, "sua{sv}", "nowhere", 1U, 0);
    EXPECT_LT(result, 0);
    EXPECT_STREQ(error.name, "org.cmk.Agent1.Error.UnknownPool");
    ::sd_bus_error_free(&error);
}

TEST_F(DBus, ListsPoolsAndLeases) {
    for (const char* method : {"ListPools", "ListLeases"}) {
        sd_bus_error error{};
        sd_bus_message* reply = nullptr;
        EXPECT_GE(::sd_bus_call_method(client_.get(), kBusName, kBusPath, kBusInterface, method,
                                       &error, &reply, ""),
                  0)
            << error.message;
        const MessageHandle owned(reply);
        EXPECT_TRUE(::sd_bus_message_has_signature(reply, "aa{sv}"));
    }
}

TEST_F(DBus, TheAgentOutlivesTheBus) {
    client_.reset();
    bus_.reset();
    EXPECT_EQ(agent_->ctl({"isolate", "--pool", "exclusive", "--", "true"}).exit, 0);
}

}  // namespace
}  // namespace cmk::test
