// SPDX-License-Identifier: Apache-2.0
// What a new agent does with what an earlier one left.
#include "ipc/state_codec.h"
#include "support/manager_fixture.h"

namespace cmk {
namespace {

class RecoveryTest : public ManagerFixture {
protected:
    bool has_file(const std::string& name) const { return state_files().count(name) == 1; }
    /// Ends a process while no agent runs.
    void end_unseen(int pid) {
        processes.end(pid);
        cgroups.process_ended(pid);
    }
};

TEST_F(RecoveryTest, TakesUpALiveLeaseAndWatchesItAgain) {
    const auto grant = isolate(100, "exclusive", 2);
    ASSERT_TRUE(grant);
    const auto before = leases();
    const auto tree = cgroups.tree;
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(leases(), before);
    EXPECT_EQ(cgroups.tree, tree);
    EXPECT_TRUE(isolate(101, "exclusive", 2));
    EXPECT_FALSE(isolate(102));
    end_process(100);
    EXPECT_EQ(leases().size(), 1U);
}

TEST_F(RecoveryTest, ReleaseAfterARestartGivesTheOldMaskBack) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    ASSERT_TRUE(start_manager(kBoot));
    ASSERT_TRUE(manager->release(Peer{}, grant->lease));
    EXPECT_EQ(processes.masks(100).front().cpus, CpuSet::first(16));
}

TEST_F(RecoveryTest, UndoesARequestThatWasCutOff) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    // As if the agent had died before its commit.
    std::filesystem::rename(state_dir + "/" + grant->lease + ".lease",
                            state_dir + "/" + grant->lease + ".intent");
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_TRUE(leases().empty());
    EXPECT_EQ(cgroups.find({"exclusive", grant->lease}), nullptr);
    EXPECT_EQ(processes.masks(100).front().cpus, CpuSet::first(16));
    EXPECT_FALSE(has_file(grant->lease + ".intent"));
}

TEST_F(RecoveryTest, UndoesAnIntentThatDidNothingYet) {
    Lease lease{.id = "l9", .pool = "exclusive", .cpus = CpuSet{0, 8}};
    processes.add(100, 0);
    lease.owner = {.pid = 100, .start_time = processes.info(100).start_time};
    const auto tree = cgroups.tree;
    write_state_file("l9.intent", encode_lease_state(lease));
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_TRUE(leases().empty());
    EXPECT_EQ(cgroups.tree, tree);
    EXPECT_FALSE(has_file("l9.intent"));
}

TEST_F(RecoveryTest, ForgetsALeaseWhoseOwnerHasEnded) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    manager.reset();
    end_unseen(100);
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_TRUE(leases().empty());
    EXPECT_EQ(cgroups.find({"exclusive", grant->lease}), nullptr);
    EXPECT_FALSE(has_file(grant->lease + ".lease"));
}

TEST_F(RecoveryTest, ALaterProcessOfTheSameIdIsNotTheOwner) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    manager.reset();
    end_unseen(100);
    processes.add(100, 0);
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_TRUE(leases().empty());
    EXPECT_EQ(processes.masks(100).front().cpus, CpuSet::first(16));
}

TEST_F(RecoveryTest, ChildrenOfAnEndedOwnerKeepTheLease) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    processes.add(101, 0);
    cgroups.add_member({"exclusive", grant->lease}, 101);
    manager.reset();
    end_unseen(100);
    ASSERT_TRUE(start_manager(kBoot));
    ASSERT_EQ(leases().size(), 1U);
    end_process(101);
    EXPECT_TRUE(leases().empty());
}

TEST_F(RecoveryTest, ADamagedFileIsSetAsideAndItsFilledGroupAdopted) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    write_state_file(grant->lease + ".lease", "cmk-lease 1 0\n{}\n");
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_TRUE(has_file(grant->lease + ".lease.bad"));
    ASSERT_EQ(leases().size(), 1U);
    EXPECT_EQ(leases()[0].id, grant->lease);
    EXPECT_EQ(leases()[0].cpus, grant->cpus);
    EXPECT_TRUE(has_file(grant->lease + ".lease"));
    end_process(100);
    EXPECT_TRUE(leases().empty());
}

/// A lease's record as a later version may write it.
std::string in_format(const std::string& text, const std::string& version) {
    return "cmk-lease " + version + text.substr(text.find(' ', text.find(' ') + 1));
}

TEST_F(RecoveryTest, StateOfTheNextFormatIsTakenUp) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    const auto before = leases();
    const std::string name = grant->lease + ".lease";
    write_state_file(name, in_format(state_files().at(name), "2"));
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(leases(), before);
}

TEST_F(RecoveryTest, StateOfAFormatTooFarAwayIsLeftToTheVersionThatReadsIt) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    const auto tree = cgroups.tree;
    const std::string name = grant->lease + ".lease";
    const std::string good = state_files().at(name);
    write_state_file(name, in_format(good, "3"));
    const auto files = state_files();
    const Status refused = start_manager(kBoot);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::conflict);
    EXPECT_NE(refused.error().message.find(name + ": its format is version 3"), std::string::npos)
        << refused.error().message;
    EXPECT_EQ(state_files(), files);
    EXPECT_EQ(cgroups.tree, tree);
    write_state_file(name, good);
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(leases().size(), 1U);
}

TEST_F(RecoveryTest, OfAnEarlierBootNoFormatMatters) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    const std::string name = grant->lease + ".lease";
    write_state_file(name, in_format(state_files().at(name), "3"));
    manager.reset();
    cgroups.tree = {};
    ASSERT_TRUE(start_manager("boot-2"));
    EXPECT_TRUE(leases().empty());
    EXPECT_TRUE(has_file(name + ".bad"));
}

TEST_F(RecoveryTest, AnEmptyGroupWithoutARecordIsRemoved) {
    cgroups.tree.pools["exclusive"].leases["stray"].cpus = CpuSet{0, 8};
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(cgroups.find({"exclusive", "stray"}), nullptr);
    EXPECT_TRUE(leases().empty());
}

TEST_F(RecoveryTest, EveryByteOfDamageIsFound) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    const std::string name = grant->lease + ".lease";
    const std::string good = state_files().at(name);
    const std::string damaged[] = {"", good.substr(0, good.size() / 2), "x" + good,
                                   good.substr(0, good.size() - 1)};
    for (const std::string& text : damaged) {
        write_state_file(name, text);
        ASSERT_TRUE(start_manager(kBoot)) << text;
        ASSERT_EQ(leases().size(), 1U);
        EXPECT_EQ(leases()[0].owner.pid, 0) << "adopted, not read";
    }
}

TEST_F(RecoveryTest, LeasesOfAnotherBootAreForgotten) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    manager.reset();
    cgroups.tree = {};
    ASSERT_TRUE(start_manager("boot-2"));
    EXPECT_TRUE(leases().empty());
    EXPECT_FALSE(has_file(grant->lease + ".lease"));
    EXPECT_EQ(state_files().at("boot"), "boot-2\n");
    EXPECT_EQ(cgroups.tree.pools.size(), 3U);
}

TEST_F(RecoveryTest, PoolsThatDoNotFitLiveLeasesAreNotTakenYet) {
    const auto grant = isolate(100, "exclusive", 3);
    ASSERT_TRUE(grant);
    config.pools[0].size = 1U;
    ASSERT_TRUE(start_manager(kBoot));
    ASSERT_EQ(leases().size(), 1U);
    EXPECT_EQ(manager->list_pools()[0].pool.cpus.to_cpulist(), "0-3,8-11");
    end_process(100);
    const auto report = manager->reload(Peer{});
    ASSERT_TRUE(report);
    EXPECT_EQ(manager->list_pools()[0].pool.cpus.to_cpulist(), "0,8");
}

TEST_F(RecoveryTest, PoolsThatCannotBeLeaveTheEarlierOnesInForceAndSaySo) {
    ASSERT_TRUE(isolate(100));
    config.pools[0].size = CpuSet{64};
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(leases().size(), 1U);
    EXPECT_EQ(manager->list_pools()[0].pool.cpus.to_cpulist(), "0-3,8-11");
    const auto problems = manager->describe_host(Peer{}).problems;
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_NE(problems[0].find("64"), std::string::npos) << problems[0];
    config.pools[0].size = 4U;
    ASSERT_TRUE(manager->reload(Peer{}));
    EXPECT_TRUE(manager->describe_host(Peer{}).problems.empty());
}

TEST_F(RecoveryTest, PoolsThatCannotBeAreRefusedWhereNoneWereInForce) {
    std::filesystem::remove(state_dir + "/pools");
    config.pools[0].size = CpuSet{64};
    EXPECT_EQ(start_manager(kBoot).error().code, Errc::invalid_argument);
}

TEST_F(RecoveryTest, TheConfigurationInForceIsKept) {
    const auto kept = parse_config({{"kept", state_files().at("config.toml")}});
    ASSERT_TRUE(kept) << kept.error().message;
    EXPECT_EQ(*kept, config);
}

TEST_F(RecoveryTest, WhatAuditsCannotMendIsShownToThoseWhoMaySeeTheHost) {
    cgroups.home = "the unit is down";
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(manager->describe_host(Peer{}).problems,
              std::vector<std::string>{"the unit is down"});
    Peer contained;
    contained.container = true;
    EXPECT_TRUE(manager->describe_host(contained).problems.empty());
    cgroups.home.clear();
    loop.advance(30'000);
    EXPECT_TRUE(manager->describe_host(Peer{}).problems.empty());
}

TEST_F(RecoveryTest, OtherPoolsThatFitAreTaken) {
    ASSERT_TRUE(isolate(100));
    config.pools[0].size = 2U;
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(leases().size(), 1U);
    EXPECT_EQ(cgroups.tree.pools.at("exclusive").cpus.to_cpulist(), "0-1,8-9");
}

TEST_F(RecoveryTest, RepairsTheGroupsOfPools) {
    cgroups.tree.pools.erase("shared");
    cgroups.tree.pools["exclusive"].cpus = CpuSet{0, 8};
    cgroups.tree.pools["stranger"].cpus = CpuSet{4};
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(cgroups.tree.pools.at("exclusive").cpus.to_cpulist(), "0-3,8-11");
    EXPECT_EQ(cgroups.tree.pools.at("shared").cpus.to_cpulist(), "4,12");
    EXPECT_EQ(cgroups.tree.pools.count("stranger"), 0U);
}

TEST_F(RecoveryTest, RepairsARootThatLacksCpus) {
    cgroups.tree.pools.clear();
    cgroups.tree.root = CpuSet{0};
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(cgroups.tree.root->to_cpulist(), "0-15");
    EXPECT_EQ(cgroups.tree.pools.size(), 3U);
}

TEST_F(RecoveryTest, ACrashAtAnyCallOfAnIsolateIsUndone) {
    peer(100);
    const auto tree = cgroups.tree;
    const auto files = state_files();
    // The intent and a group, with and without the process inside.
    for (const bool attached : {false, true}) {
        const auto grant = isolate(100);
        ASSERT_TRUE(grant);
        if (!attached) cgroups.process_ended(100);
        std::filesystem::rename(state_dir + "/" + grant->lease + ".lease",
                                state_dir + "/" + grant->lease + ".intent");
        ASSERT_TRUE(start_manager(kBoot));
        auto now = cgroups.tree;
        now.elsewhere.erase(100);
        EXPECT_EQ(now, tree);
        EXPECT_EQ(state_files(), files);
    }
}

TEST_F(RecoveryTest, ASecondAgentOnTheSameStateIsRefused) {
    const auto second = StateStore::open(state_dir);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::conflict);
}

}  // namespace
}  // namespace cmk
