// SPDX-License-Identifier: Apache-2.0
// Leases that stay in the group of their container or unit.
#include <algorithm>

#include "support/manager_fixture.h"

namespace cmk {
namespace {

const std::string kPod = "kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope";

/// A host with remote partitions, where pools hand CPUs over.
class ManagerPlace : public ManagerFixture {
protected:
    void SetUp() override {
        cgroups.remote_partitions = true;
        cgroups.in_place = true;
        ManagerFixture::SetUp();
    }

    Result<Grant> isolate_in(const std::string& cgroup, int pid,
                             const std::string& pool = "exclusive", unsigned cores = 1) {
        Result<Grant> answer = make_error(Errc::internal, "no answer");
        manager->isolate(peer(pid, 0, "/" + cgroup), order(pool, cores),
                         [&](Result<Grant> result) { answer = std::move(result); });
        return answer;
    }
    FakeCgroups::PlacedGroup placed(const std::string& path) const {
        const auto at = cgroups.tree.placed.find(path);
        return at == cgroups.tree.placed.end() ? FakeCgroups::PlacedGroup{} : at->second;
    }
    CpuSet pool_cpus() const {
        const auto at = cgroups.tree.pools.find("exclusive");
        return at == cgroups.tree.pools.end() ? CpuSet{} : at->second.cpus;
    }
};

TEST_F(ManagerPlace, AContainersLeaseIsAPartitionInTheContainer) {
    const auto grant = isolate_in(kPod, 100);
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_EQ(grant->grade, Grade::B);
    EXPECT_NE(grant->notes.front().find("inside its container"), std::string::npos);
    const FakeCgroups::PlacedGroup wanted{
        .cpus = {0, 8}, .partition = PartitionType::root, .pids = {100}};
    EXPECT_EQ(placed(kPod + "/cmk-lease1"), wanted);
    EXPECT_EQ(pool_cpus(), (CpuSet{1, 2, 3, 9, 10, 11}));
    EXPECT_EQ(cgroups.tree.reserved, pool_cpus());
}

TEST_F(ManagerPlace, VerifyWarnsOfARuntimeThatLetsGoOfIt) {
    const auto tells = [this] {
        const auto verdicts = manager->verify(peer(1), "");
        const auto& checks = verdicts->back().checks;
        return std::any_of(checks.begin(), checks.end(),
                           [](const Check& check) { return check.what == "runtime"; });
    };
    ASSERT_TRUE(isolate_in("kubepods.slice/kubepods-pod2.slice/crio-2.scope", 100));
    EXPECT_FALSE(tells());
    ASSERT_TRUE(isolate_in(kPod, 101));
    EXPECT_TRUE(tells());
    EXPECT_TRUE(manager->verify(peer(1), "")->back().passed);
}

TEST_F(ManagerPlace, ItsEndGivesTheCpusBackToThePool) {
    ASSERT_TRUE(isolate_in(kPod, 100, "exclusive", 4));
    EXPECT_EQ(pool_cpus(), CpuSet{});
    // The container is removed with all that is in it.
    cgroups.remove_container(kPod);
    end_process(100);
    EXPECT_TRUE(leases().empty());
    EXPECT_TRUE(cgroups.tree.placed.empty());
    EXPECT_EQ(pool_cpus(), (CpuSet{0, 1, 2, 3, 8, 9, 10, 11}));
    EXPECT_TRUE(isolate(200));
}

TEST_F(ManagerPlace, ReleaseTakesItBackWhileTheContainerRunsOn) {
    ASSERT_TRUE(isolate_in(kPod, 100));
    ASSERT_TRUE(manager->release(peer(1), "lease1"));
    EXPECT_TRUE(cgroups.tree.placed.empty());
    EXPECT_EQ(cgroups.tree.elsewhere.at(100), "/" + kPod);
    EXPECT_EQ(pool_cpus().count(), 8U);
}

TEST_F(ManagerPlace, SharedAndExclusiveLeasesLieSideBySideInOneContainer) {
    ASSERT_TRUE(isolate_in(kPod, 100));
    const auto shared = isolate_in(kPod, 101, "shared");
    ASSERT_TRUE(shared) << shared.error().message;
    EXPECT_EQ(shared->grade, Grade::C);
    EXPECT_EQ(placed(kPod + "/cmk-lease2").cpus, (CpuSet{4, 12}));
    EXPECT_EQ(placed(kPod + "/cmk-lease2").partition, PartitionType::member);
    ASSERT_TRUE(isolate_in(kPod, 102));
    EXPECT_EQ(cgroups.tree.placed.size(), 3U);
}

TEST_F(ManagerPlace, AServiceStaysInItsUnit) {
    cgroups.alone = true;
    const auto grant = isolate_in("system.slice/db.service", 100);
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_EQ(grant->grade, Grade::B);
    EXPECT_EQ(placed("system.slice/db.service").cpus, (CpuSet{0, 8}));
    EXPECT_EQ(leases().front().place.kind, PlaceKind::unit);
    end_process(100);
    EXPECT_TRUE(cgroups.tree.placed.empty());
}

TEST_F(ManagerPlace, AContainerWithoutCpusetFilesIsHeldByAffinity) {
    cgroups.containers_have_cpusets = false;
    const auto grant = isolate_in(kPod, 100);
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_EQ(grant->grade, Grade::D);
    EXPECT_TRUE(cgroups.tree.placed.empty());
    // Nobody outside of a partition can run on its CPUs.
    EXPECT_EQ(pool_cpus(), (CpuSet{1, 2, 3, 9, 10, 11}));
    end_process(100);
    EXPECT_EQ(pool_cpus().count(), 8U);
}

TEST_F(ManagerPlace, WhereItCannotBeHadNothingChanges) {
    cgroups.tree.placed["foreign.slice"] = {.cpus = {0, 8}, .partition = PartitionType::root};
    const auto before = cgroups.tree;
    const auto refused = isolate_in(kPod, 100);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::conflict);
    EXPECT_EQ(cgroups.tree.pools, before.pools);
    EXPECT_EQ(cgroups.tree.placed, before.placed);
    EXPECT_EQ(cgroups.tree.reserved, before.reserved);
    EXPECT_TRUE(leases().empty());
}

TEST_F(ManagerPlace, AFailureAtAnyStepLeavesNothing) {
    const auto before = cgroups.tree;
    unsigned failures = 0;
    for (unsigned step = 1; step < 40; ++step) {
        cgroups.fail_call(step, EIO);
        const auto grant = isolate_in(kPod, 100 + static_cast<int>(step));
        if (!cgroups.has_failed()) {
            EXPECT_TRUE(grant);
            break;
        }
        if (grant) {
            // The step only told of something.
            ASSERT_TRUE(manager->release(peer(1), grant->lease));
        } else {
            ++failures;
        }
        EXPECT_EQ(cgroups.tree.pools, before.pools) << step;
        EXPECT_TRUE(cgroups.tree.placed.empty()) << step;
    }
    EXPECT_GE(failures, 5U);
}

TEST_F(ManagerPlace, ARestartKeepsIt) {
    ASSERT_TRUE(isolate_in(kPod, 100));
    const auto before = cgroups.tree;
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_EQ(cgroups.tree, before);
    ASSERT_EQ(leases().size(), 1U);
    EXPECT_EQ(leases().front().place.path, kPod);
    end_process(100);
    EXPECT_TRUE(cgroups.tree.placed.empty());
    EXPECT_EQ(pool_cpus().count(), 8U);
}

TEST_F(ManagerPlace, ALeaseWhoseContainerWentWhileNoAgentRanEnds) {
    ASSERT_TRUE(isolate_in(kPod, 100));
    manager.reset();
    cgroups.remove_container(kPod);
    processes.end(100);
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_TRUE(leases().empty());
    EXPECT_EQ(pool_cpus().count(), 8U);
}

TEST_F(ManagerPlace, ABrokenPartitionInPlaceIsMended) {
    ASSERT_TRUE(isolate_in(kPod, 100));
    cgroups.tree.placed.at(kPod + "/cmk-lease1").valid = false;
    loop.announce_change("place/lease1");
    EXPECT_TRUE(placed(kPod + "/cmk-lease1").valid);
    EXPECT_EQ(leases().front().grade, Grade::B);
}

TEST_F(ManagerPlace, OneThatCannotBeMendedDropsInGradeAndComesBack) {
    ASSERT_TRUE(isolate_in(kPod, 100));
    cgroups.tree.placed.at(kPod + "/cmk-lease1").valid = false;
    cgroups.foreign = {0};
    loop.announce_change("place/lease1");
    EXPECT_EQ(leases().front().grade, Grade::C);
    EXPECT_EQ(events.back().kind, Event::Kind::grade_changed);
    cgroups.foreign = {};
    loop.advance(30000);
    EXPECT_EQ(leases().front().grade, Grade::B);
}

TEST_F(ManagerPlace, ARepairThatFailsIsNotTriedForEachChangeThatItMakes) {
    ASSERT_TRUE(isolate_in(kPod, 100));
    auto& group = cgroups.tree.placed.at(kPod + "/cmk-lease1");
    group.valid = false;
    group.cpus = {5};  // the kernel has put it elsewhere
    cgroups.foreign = {0};
    loop.announce_change("place/lease1");
    EXPECT_EQ(leases().front().grade, Grade::D);
    const std::size_t calls = cgroups.calls.size();
    for (int change = 0; change < 5; ++change)
        loop.announce_change("place/lease1");
    EXPECT_EQ(cgroups.calls.size(), calls);
}

TEST_F(ManagerPlace, MendingLetsNobodyOut) {
    // In a pool and in place: a CPU that is going offline lets the affinity be refused.
    ASSERT_TRUE(isolate(100));
    ASSERT_TRUE(isolate_in(kPod, 101));
    cgroups.find({"exclusive", "lease1"})->cpus = {5};
    cgroups.tree.placed.at(kPod + "/cmk-lease2").cpus = {6};
    processes.fail_next_affinity(EINVAL);
    ASSERT_TRUE(manager->reconcile(Peer{}));
    EXPECT_EQ(cgroups.find({"exclusive", "lease1"})->pids, std::set<int>{100});
    EXPECT_EQ(placed(kPod + "/cmk-lease2").pids, std::set<int>{101});
    EXPECT_TRUE(cgroups.tree.elsewhere.empty());
}

TEST_F(ManagerPlace, APodHoldsNoMoreThanItMay) {
    config.pools[0].access.cores_per_pod = 2;
    ASSERT_TRUE(start_manager(kBoot));
    ASSERT_TRUE(isolate_in(kPod, 100));
    const auto refused = isolate_in(kPod, 101, "exclusive", 2);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_permitted);
    EXPECT_TRUE(isolate_in(kPod, 102));
    EXPECT_TRUE(isolate_in("kubepods.slice/kubepods-pod2.slice/cri-containerd-2.scope", 103));
    EXPECT_EQ(leases().front().owner.pod, "1");
}

TEST_F(ManagerPlace, AGradeThatCannotBeHadIsRefusedBeforehand) {
    cgroups.containers_have_cpusets = false;
    config.pools[0].require_grade = Grade::B;
    ASSERT_TRUE(start_manager(kBoot));
    const auto refused = isolate_in(kPod, 100);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_permitted);
}

}  // namespace
}  // namespace cmk
