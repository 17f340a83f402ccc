// SPDX-License-Identifier: Apache-2.0
// Isolate, release and the end of leases.
#include "support/manager_fixture.h"

namespace cmk {
namespace {

class ManagerTest : public ManagerFixture {};

TEST_F(ManagerTest, MakesTheGroupsOfAllPoolsAtStart) {
    ASSERT_TRUE(cgroups.tree.root);
    EXPECT_EQ(cgroups.tree.root->to_cpulist(), "0-15");
    EXPECT_EQ(cgroups.tree.pools.at("exclusive").cpus.to_cpulist(), "0-3,8-11");
    EXPECT_EQ(cgroups.tree.pools.at("shared").cpus.to_cpulist(), "4,12");
    EXPECT_EQ(cgroups.tree.pools.at("infra").cpus.to_cpulist(), "5-7,13-15");
}

TEST_F(ManagerTest, GrantsWholeCoresAndConfinesTheCaller) {
    const auto grant = isolate(100, "exclusive", 2);
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_EQ(grant->cpus.to_cpulist(), "0-1,8-9");
    EXPECT_EQ(grant->grade, Grade::C);
    EXPECT_EQ(grant->shared->to_cpulist(), "4,12");
    EXPECT_EQ(grant->infra->to_cpulist(), "5-7,13-15");
    const auto* group = cgroups.find({"exclusive", grant->lease});
    ASSERT_NE(group, nullptr);
    EXPECT_EQ(group->cpus, grant->cpus);
    EXPECT_EQ(group->pids, std::set<int>{100});
    EXPECT_EQ(processes.masks(100).front().cpus, grant->cpus);
    EXPECT_EQ(state_files().count(grant->lease + ".lease"), 1U);
}

TEST_F(ManagerTest, TwoRequestsNeverShareACore) {
    CpuSet given;
    for (int pid = 100; pid < 104; ++pid) {
        const auto grant = isolate(pid);
        ASSERT_TRUE(grant) << grant.error().message;
        EXPECT_EQ(grant->cpus.count(), 2U);
        EXPECT_FALSE(given.intersects(grant->cpus));
        given |= grant->cpus;
    }
    EXPECT_EQ(given.to_cpulist(), "0-3,8-11");
}

TEST_F(ManagerTest, ExhaustedPoolRefusesAndChangesNothing) {
    ASSERT_TRUE(isolate(100, "exclusive", 3));
    const auto tree = cgroups.tree;
    const auto files = state_files();
    const auto refused = isolate(101, "exclusive", 2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_enough_cpus);
    EXPECT_EQ(cgroups.tree, tree);
    EXPECT_EQ(state_files(), files);
}

TEST_F(ManagerTest, SharedPoolGivesAllItsCpusToEveryone) {
    const auto first = isolate(100, "infra", 1);
    const auto second = isolate(101, "infra", 1);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->cpus, second->cpus);
    EXPECT_EQ(first->cpus.to_cpulist(), "5-7,13-15");
}

TEST_F(ManagerTest, UnknownPoolIsNamed) {
    const auto refused = isolate(100, "nothing", 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unknown_pool);
}

TEST_F(ManagerTest, OthersThanRootAreRefusedUnlessListed) {
    Result<Grant> answer = make_error(Errc::internal, "no answer");
    manager->isolate(peer(100, 54321), order("exclusive", 1),
                     [&](Result<Grant> result) { answer = std::move(result); });
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::not_permitted);
    EXPECT_TRUE(leases().empty());
}

TEST_F(ManagerTest, UnpinnedCallerIsLeftWhereItIs) {
    const auto before = processes.all_masks();
    IsolateOrder unpinned = order("exclusive", 1);
    unpinned.pin = false;
    Result<Grant> answer = make_error(Errc::internal, "no answer");
    Peer caller = peer(100);
    manager->isolate(std::move(caller), unpinned,
                     [&](Result<Grant> result) { answer = std::move(result); });
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->grade, Grade::D);
    EXPECT_EQ(cgroups.find({"exclusive", answer->lease}), nullptr);
    EXPECT_EQ(processes.masks(100).front().cpus, CpuSet::first(16));
}

TEST_F(ManagerTest, WithoutCpusetsTheAffinityHolds) {
    cgroups.groups_usable = false;
    const auto grant = isolate(100);
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_EQ(grant->grade, Grade::D);
    EXPECT_EQ(processes.masks(100).front().cpus, grant->cpus);
    ASSERT_TRUE(manager->release(Peer{}, grant->lease));
    EXPECT_EQ(processes.masks(100).front().cpus, CpuSet::first(16));
}

TEST_F(ManagerTest, RequiredGradeThatTheHostCannotGiveRefuses) {
    config.pools[0].require_grade = Grade::B;
    ASSERT_TRUE(start_manager(kBoot));
    const auto refused = isolate(100);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_permitted);
    EXPECT_NE(refused.error().message.find("requires grade B"), std::string::npos);
    EXPECT_TRUE(leases().empty());
    EXPECT_EQ(cgroups.tree.pools.at("exclusive").leases.size(), 0U);
}

TEST_F(ManagerTest, LeasesAreBounded) {
    config.limits.leases = 1;
    ASSERT_TRUE(start_manager(kBoot));
    ASSERT_TRUE(isolate(100, "infra"));
    const auto refused = isolate(101, "infra");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::too_many);
}

TEST_F(ManagerTest, ACallerThatIsNotKnownIsRefused) {
    Result<Grant> answer = make_error(Errc::internal, "no answer");
    manager->isolate(Peer{}, order("exclusive", 1),
                     [&](Result<Grant> result) { answer = std::move(result); });
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::unavailable);
}

TEST_F(ManagerTest, AnEndedCallerIsNeverTakenForALaterProcessOfItsId) {
    Peer caller = peer(100);
    processes.end(100);
    processes.add(100, 1000);
    Result<Grant> answer = make_error(Errc::internal, "no answer");
    manager->isolate(std::move(caller), order("exclusive", 1),
                     [&](Result<Grant> result) { answer = std::move(result); });
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::unavailable);
    EXPECT_EQ(processes.masks(100).front().cpus, CpuSet::first(16));
    EXPECT_TRUE(cgroups.tree.pools.at("exclusive").leases.empty());
}

TEST_F(ManagerTest, ReleaseGivesTheProcessItsOldPlaceAndMaskBack) {
    processes.add(100, 0, "/system.slice/a.service");
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    ASSERT_TRUE(manager->release(Peer{}, grant->lease));
    EXPECT_EQ(cgroups.find({"exclusive", grant->lease}), nullptr);
    EXPECT_EQ(cgroups.tree.elsewhere.at(100), "/system.slice/a.service");
    EXPECT_EQ(processes.masks(100).front().cpus, CpuSet::first(16));
    EXPECT_EQ(state_files().count(grant->lease + ".lease"), 0U);
    EXPECT_EQ(loop.exits(), 0U);
    EXPECT_TRUE(isolate(101, "exclusive", 4));
}

TEST_F(ManagerTest, ReleaseOfWhatIsNotThereOrNotOnesOwn) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    EXPECT_EQ(manager->release(Peer{}, "nothing").error().code, Errc::unknown_lease);
    EXPECT_EQ(manager->release(peer(200, 1000), grant->lease).error().code, Errc::not_permitted);
    EXPECT_EQ(leases().size(), 1U);
}

TEST_F(ManagerTest, AContainerDoesNotLearnOfOthersLeases) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    Peer container;
    container.container = true;
    container.cgroup = "/pod";
    EXPECT_TRUE(manager->list_leases(container).empty());
    EXPECT_EQ(manager->release(container, grant->lease).error().code, Errc::unknown_lease);
    EXPECT_EQ(manager->verify(container, grant->lease).error().code, Errc::unknown_lease);
}

TEST_F(ManagerTest, LeaseEndsWithItsOwner) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    end_process(100);
    EXPECT_TRUE(leases().empty());
    EXPECT_EQ(cgroups.find({"exclusive", grant->lease}), nullptr);
    EXPECT_EQ(state_files().count(grant->lease + ".lease"), 0U);
}

TEST_F(ManagerTest, LeaseOutlivesItsOwnerWhileAnyoneIsInside) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    for (const int child : {101, 102}) {
        processes.add(child, 0);
        cgroups.add_member({"exclusive", grant->lease}, child);
    }
    end_process(100);
    ASSERT_EQ(leases().size(), 1U);
    end_process(101);
    ASSERT_EQ(leases().size(), 1U);
    end_process(102);
    EXPECT_TRUE(leases().empty());
}

TEST_F(ManagerTest, AGroupThatStaysBusyIsTriedAgain) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    processes.end(100);
    cgroups.process_ended(100);
    // members, members, remove_lease: the group of a process that has just gone is still busy.
    cgroups.fail_call(3, EBUSY);
    loop.run_exits();
    ASSERT_TRUE(cgroups.has_failed());
    EXPECT_EQ(leases().size(), 1U);
    loop.advance(100);
    EXPECT_TRUE(leases().empty());
}

TEST_F(ManagerTest, EventsTellOfEachLease) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    ASSERT_TRUE(manager->release(Peer{}, grant->lease));
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].kind, Event::Kind::lease_added);
    EXPECT_EQ(events[0].lease->status, LeaseStatus::committed);
    EXPECT_EQ(events[1].kind, Event::Kind::lease_removed);
    EXPECT_EQ(events[1].lease->id, grant->lease);
    EXPECT_FALSE(events[1].reason.empty());
}

TEST_F(ManagerTest, AFailedIsolateLeavesEverythingAsItWas) {
    ASSERT_TRUE(isolate(99));
    peer(100);
    const auto tree = cgroups.tree;
    const auto files = state_files();
    const auto masks = processes.all_masks();
    for (unsigned n = 1;; ++n) {
        cgroups.fail_call(n, EIO);
        const auto refused = isolate(100);
        if (!cgroups.has_failed()) {
            EXPECT_TRUE(refused);
            EXPECT_GE(n, 4U);
            break;
        }
        ASSERT_FALSE(refused) << "call " << n;
        auto now = cgroups.tree;
        now.elsewhere.erase(100);
        EXPECT_EQ(now, tree) << "call " << n;
        EXPECT_EQ(state_files(), files) << "call " << n;
        EXPECT_EQ(processes.all_masks(), masks) << "call " << n;
        EXPECT_EQ(leases().size(), 1U);
        EXPECT_EQ(loop.exits(), 1U);
    }
}

TEST_F(ManagerTest, AFailedAffinityLeavesEverythingAsItWas) {
    peer(100);
    const auto files = state_files();
    const auto masks = processes.all_masks();
    processes.fail_next_affinity(EINVAL);
    ASSERT_FALSE(isolate(100));
    EXPECT_TRUE(cgroups.tree.pools.at("exclusive").leases.empty());
    EXPECT_EQ(state_files(), files);
    EXPECT_EQ(processes.all_masks(), masks);
}

TEST_F(ManagerTest, AFailedReleaseLeavesEverythingAsItWas) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    processes.add(101, 0);
    cgroups.add_member({"exclusive", grant->lease}, 101);
    const auto tree = cgroups.tree;
    const auto files = state_files();
    const auto masks = processes.all_masks();
    for (unsigned n = 1; n < 100; ++n) {
        cgroups.fail_call(n, EIO);
        const Status released = manager->release(Peer{}, grant->lease);
        if (!cgroups.has_failed()) {
            EXPECT_TRUE(released);
            return;
        }
        if (released) return;  // it got over that call
        EXPECT_EQ(cgroups.tree, tree) << "call " << n;
        EXPECT_EQ(state_files(), files) << "call " << n;
        EXPECT_EQ(processes.all_masks(), masks) << "call " << n;
        ASSERT_EQ(leases().size(), 1U);
    }
}

TEST_F(ManagerTest, StateThatCannotBeWrittenRefuses) {
    ASSERT_TRUE(isolate(99));
    const auto tree = cgroups.tree;
    std::filesystem::create_directory(state_dir + "/lease2.intent");
    const auto refused = isolate(100);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::io);
    EXPECT_EQ(cgroups.tree, tree);
    EXPECT_EQ(leases().size(), 1U);
}

TEST_F(ManagerTest, VerifyFindsWhatSomeoneElseChanged) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    auto verdicts = manager->verify(Peer{}, "");
    ASSERT_TRUE(verdicts);
    EXPECT_TRUE(verdicts->front().passed);
    cgroups.find({"exclusive", grant->lease})->cpus = CpuSet{0};
    verdicts = manager->verify(Peer{}, grant->lease);
    ASSERT_TRUE(verdicts);
    EXPECT_FALSE(verdicts->front().passed);
    EXPECT_EQ(manager->verify(Peer{}, "nothing").error().code, Errc::unknown_lease);
}

TEST_F(ManagerTest, ReconcileSetsALeasesGroupAgain) {
    const auto grant = isolate(100);
    ASSERT_TRUE(grant);
    cgroups.find({"exclusive", grant->lease})->cpus = CpuSet{0};
    const auto report = manager->reconcile(Peer{});
    ASSERT_TRUE(report);
    EXPECT_EQ(report->repaired.size(), 1U);
    EXPECT_TRUE(report->problems.empty());
    EXPECT_EQ(cgroups.find({"exclusive", grant->lease})->cpus, grant->cpus);
    EXPECT_EQ(manager->reconcile(peer(200, 1000)).error().code, Errc::not_permitted);
}

}  // namespace
}  // namespace cmk
