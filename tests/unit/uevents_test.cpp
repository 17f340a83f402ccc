// SPDX-License-Identifier: Apache-2.0
#include "agent/uevents.h"

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "support/manager_fixture.h"

namespace cmk {
namespace {

using namespace std::string_literals;

TEST(Uevents, KnowsThoseOfCpus) {
    EXPECT_TRUE(
        is_cpu_uevent("offline@/devices/system/cpu/cpu3\0ACTION=offline\0"
                      "DEVPATH=/devices/system/cpu/cpu3\0SUBSYSTEM=cpu\0SEQNUM=9\0"s));
    EXPECT_FALSE(
        is_cpu_uevent("offline@/devices/system/memory/memory3\0ACTION=offline\0"
                      "SUBSYSTEM=memory\0"s));
    EXPECT_FALSE(is_cpu_uevent("add@/x\0SUBSYSTEM=cpuidle\0"s));
    EXPECT_FALSE(is_cpu_uevent("add@/x\0NAME=SUBSYSTEM=cpu\0"s));
    EXPECT_FALSE(is_cpu_uevent(""));
}

/// A socketpair in the place of the netlink socket: its messages have no sender's port, as the
/// kernel's have none.
class UeventsTest : public testing::Test {
protected:
    void SetUp() override {
        sd_event* made = nullptr;
        ASSERT_GE(::sd_event_new(&made), 0);
        event_.reset(made);
        int ends[2] = {-1, -1};
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
        kernel_.reset(ends[0]);
        auto watched = Uevents::watch(UniqueFd(ends[1]), event_.get(), [this] { ++changes_; });
        ASSERT_TRUE(watched);
        uevents_ = *std::move(watched);
    }
    void TearDown() override {
        uevents_.reset();
        event_.reset();
    }
    void send(const std::string& text) const {
        EXPECT_GT(::send(kernel_.get(), text.data(), text.size(), 0), 0);
    }
    void pump() const {
        while (::sd_event_run(event_.get(), 0) > 0) {
        }
    }

    EventHandle event_;
    UniqueFd kernel_;
    std::unique_ptr<Uevents> uevents_;
    unsigned changes_ = 0;
};

TEST_F(UeventsTest, ManyMessagesAreOneChange) {
    for (int cpu = 0; cpu < 4; ++cpu)
        send("offline@/devices/system/cpu/cpu" + std::to_string(cpu) + "\0SUBSYSTEM=cpu\0"s);
    pump();
    EXPECT_EQ(changes_, 1U);
    send("online@/devices/system/cpu/cpu1\0SUBSYSTEM=cpu\0"s);
    pump();
    EXPECT_EQ(changes_, 2U);
}

TEST_F(UeventsTest, OtherDevicesChangeNothing) {
    send("online@/devices/system/memory/memory1\0SUBSYSTEM=memory\0"s);
    send("add@/devices/virtual/block/loop1\0SUBSYSTEM=block\0"s);
    pump();
    EXPECT_EQ(changes_, 0U);
}

class MachineChangedTest : public ManagerFixture {};

TEST_F(MachineChangedTest, MendsWithoutBeingAsked) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    cgroups.find({"exclusive", grant->lease})->cpus = CpuSet{0};
    manager->machine_changed();
    EXPECT_EQ(cgroups.find({"exclusive", grant->lease})->cpus, grant->cpus);
}

TEST_F(MachineChangedTest, ACpuOfALeaseThatGoesAndComesBackIsTold) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    ASSERT_EQ(grant->cpus, (CpuSet{0, 8}));
    offline = {8};
    manager->machine_changed();
    EXPECT_EQ(events.back().kind, Event::Kind::cpus_changed);
    EXPECT_EQ(events.back().reason, "CPU 8 is offline");
    EXPECT_EQ(leases().front().cpus, grant->cpus);
    offline = {};
    manager->machine_changed();
    EXPECT_EQ(events.back().reason, "CPU 8 is back");
    const std::size_t told = events.size();
    manager->machine_changed();
    EXPECT_EQ(events.size(), told);
}

TEST_F(MachineChangedTest, ALeaseWithoutAnyCpuGoesToFreeCores) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    offline = {0, 8};
    manager->machine_changed();
    EXPECT_EQ(leases().front().cpus, (CpuSet{1, 9}));
    const FakeCgroups::Group wanted{.cpus = {1, 9}, .pids = {100}};
    EXPECT_EQ(*cgroups.find({"exclusive", grant->lease}), wanted);
    EXPECT_EQ(processes.masks(100).front().cpus, (CpuSet{1, 9}));
    EXPECT_EQ(events.back().reason, "its CPUs 0,8 went offline");
    const auto files = state_files();
    ASSERT_EQ(files.count(grant->lease + ".lease"), 1U);
    EXPECT_NE(files.at(grant->lease + ".lease").find("\"cpus\":\"1,9\""), std::string::npos);
    EXPECT_EQ(files.count(grant->lease + ".intent"), 0U);
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(leases().front().cpus, (CpuSet{1, 9}));
    // It stays there when they come back, and the next lease gets them.
    offline = {};
    manager->machine_changed();
    EXPECT_EQ(isolate(101)->cpus, (CpuSet{0, 8}));
    end_process(100);
    EXPECT_EQ(leases().size(), 1U);
}

TEST_F(MachineChangedTest, OneThatWasStrandedWhileNoAgentRanIsMovedAtTheStart) {
    ASSERT_TRUE(isolate(100));
    offline = {0, 8};
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(leases().front().cpus, (CpuSet{1, 9}));
}

TEST_F(MachineChangedTest, OfflineCoresAreNotGivenAway) {
    offline = {0, 9};
    manager->machine_changed();
    EXPECT_EQ(isolate(100)->cpus, (CpuSet{2, 10}));
    ASSERT_TRUE(isolate(101));
    const auto refused = isolate(102);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_enough_cpus);
    // With no free core left it stays where it is, and the log tells.
    offline = {0, 2, 9, 10};
    manager->machine_changed();
    EXPECT_EQ(leases().front().cpus, (CpuSet{2, 10}));
}

}  // namespace
}  // namespace cmk
