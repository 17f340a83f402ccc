// SPDX-License-Identifier: Apache-2.0
// Pidfds that outlive the agent: when the manager keeps, takes and drops them.
#include "support/manager_fixture.h"

namespace cmk {
namespace {

using Names = std::vector<std::string>;

class FdStoreTest : public ManagerFixture {};

TEST_F(FdStoreTest, KeepsThePidfdOfEachLeaseUntilItEnds) {
    const auto first = isolate(100);
    const auto second = isolate(101);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(fd_store.names(), (Names{first->lease, second->lease}));
    EXPECT_EQ(*processes.pid_of(fd_store.kept.at(first->lease).get()), 100);
    end_process(100);
    EXPECT_EQ(fd_store.names(), Names{second->lease});
    ASSERT_TRUE(manager->release(Peer{}, second->lease));
    EXPECT_TRUE(fd_store.names().empty());
}

TEST_F(FdStoreTest, ARequestThatFailsKeepsNothing) {
    EXPECT_FALSE(isolate(100, "exclusive", 5));
    EXPECT_EQ(fd_store.puts, 0U);
}

TEST_F(FdStoreTest, TheNextAgentTakesWhatCameBack) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(fd_store.puts, 1U);
    EXPECT_TRUE(fd_store.passed.empty());
    ASSERT_EQ(leases().size(), 1U);
    end_process(100);
    EXPECT_TRUE(leases().empty());
    EXPECT_TRUE(fd_store.names().empty());
}

TEST_F(FdStoreTest, AMissingPidfdIsOpenedByIdAndKeptAgain) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    fd_store.kept.clear();
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(fd_store.names(), Names{grant->lease});
    end_process(100);
    EXPECT_TRUE(leases().empty());
}

TEST_F(FdStoreTest, APidfdOfAnotherProcessIsNotTheOwners) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    processes.add(200, 0);
    fd_store.put(grant->lease, processes.pidfd(200).get());
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(*processes.pid_of(fd_store.kept.at(grant->lease).get()), 100);
    end_process(200);
    EXPECT_EQ(leases().size(), 1U);
    end_process(100);
    EXPECT_TRUE(leases().empty());
}

TEST_F(FdStoreTest, APidfdOfAnEndedOwnerIsDroppedAndItsChildrenHoldTheLease) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    processes.add(101, 0);
    cgroups.add_member({"exclusive", grant->lease}, 101);
    processes.end(100);
    cgroups.process_ended(100);
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_TRUE(fd_store.names().empty());
    ASSERT_EQ(leases().size(), 1U);
    end_process(101);
    EXPECT_TRUE(leases().empty());
}

TEST_F(FdStoreTest, WhatBelongsToNoLeaseIsDropped) {
    processes.add(200, 0);
    fd_store.put("stranger", processes.pidfd(200).get());
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_TRUE(fd_store.names().empty());
}

}  // namespace
}  // namespace cmk
