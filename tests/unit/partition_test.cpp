// SPDX-License-Identifier: Apache-2.0
// Pools that are partitions: which become one, what is read back, and what happens when one breaks.
#include "agent/partition_files.h"
#include "core/mechanism.h"
#include "support/fake_cgroup_tree.h"
#include "support/manager_fixture.h"
#include "support/metrics_page.h"

namespace cmk {
namespace {

constexpr Abilities kOld{.cpusets = true};
constexpr Abilities kLocal{.cpusets = true, .local_partitions = true};
constexpr Abilities kRemote{.cpusets = true, .remote_partitions = true};

Pool pool(PoolKind kind, Isolation isolation, bool boot_isolated = false) {
    return {.spec = {.name = "p", .kind = kind, .isolation = isolation},
            .cpus = {0, 1},
            .boot_isolated = boot_isolated};
}

TEST(ChoosePartition, ExclusivePoolsTakeRemotePartitionsByThemselves) {
    const Pool automatic = pool(PoolKind::exclusive, Isolation::automatic);
    EXPECT_EQ(choose_partition(automatic, kRemote).value(), PartitionType::root);
    EXPECT_EQ(choose_partition(automatic, kLocal).value(), PartitionType::member);
    EXPECT_EQ(choose_partition(automatic, kOld).value(), PartitionType::member);
}

TEST(ChoosePartition, SharedPoolsAndThoseThatAskForLessTakeNone) {
    for (const Pool& each : {pool(PoolKind::shared, Isolation::automatic),
                             pool(PoolKind::exclusive, Isolation::cpuset),
                             pool(PoolKind::exclusive, Isolation::affinity)}) {
        EXPECT_EQ(choose_partition(each, kRemote).value(), PartitionType::member);
    }
}

TEST(ChoosePartition, WhoAsksForOneGetsItOrTheReason) {
    const Pool asks = pool(PoolKind::exclusive, Isolation::partition);
    EXPECT_EQ(choose_partition(asks, kRemote).value(), PartitionType::root);
    EXPECT_EQ(choose_partition(asks, kLocal).value(), PartitionType::root);
    const auto refused = choose_partition(asks, kOld);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    EXPECT_NE(refused.error().message.find("\"p\""), std::string::npos);
}

TEST(ChoosePartition, CpusIsolatedAtBootAreHeldByIsolatedRemotePartitionsOnly) {
    const Pool automatic = pool(PoolKind::exclusive, Isolation::automatic, true);
    EXPECT_EQ(choose_partition(automatic, kRemote).value(), PartitionType::isolated);
    EXPECT_EQ(choose_partition(automatic, kLocal).value(), PartitionType::member);
    // A local one would be `root` for all its pools, which breaks on such CPUs.
    EXPECT_FALSE(choose_partition(pool(PoolKind::exclusive, Isolation::partition, true), kLocal));
}

TEST(ParsePartition, ReadsTheFirstWordAndWhetherItIsInForce) {
    EXPECT_EQ(parse_partition("member\n").type, PartitionType::member);
    EXPECT_TRUE(parse_partition("isolated\n").valid);
    const PartitionState broken =
        parse_partition("root invalid (Parent is not a partition root)\n");
    EXPECT_EQ(broken.type, PartitionType::root);
    EXPECT_FALSE(broken.valid);
    EXPECT_FALSE(parse_partition("isolated invalid\n").valid);
}

TEST(PartitionPlan, ReservesBeforeItGrowsAndGivesBackAfterItShrinks) {
    const auto partition = [](const std::string& name, const CpuSet& cpus) {
        return Pool{.spec = {.name = name, .kind = PoolKind::exclusive},
                    .cpus = cpus,
                    .partition = PartitionType::root};
    };
    Ledger ledger;
    ASSERT_TRUE(ledger.apply({.pools = {{partition("a", {0, 1}), partition("b", {2, 3})}}}));
    const LedgerDelta delta{.pools = {{partition("a", {0}), partition("b", {1, 2, 4})}}};
    const Plan plan = make_plan(ledger, delta);
    auto tree = test::FakeCgroupTree::from_ledger(ledger);
    const auto before = tree;
    const Status applied = tree.apply(plan);
    ASSERT_TRUE(applied) << applied.error().message;
    const Status undone = tree.apply(inverse(plan));
    ASSERT_TRUE(undone) << undone.error().message;
    EXPECT_EQ(tree, before);
}

class ManagerPartitionTest : public ManagerFixture {
protected:
    void SetUp() override {
        ManagerFixture::SetUp();
        cgroups.remote_partitions = true;
        ASSERT_TRUE(start_manager(kBoot));
        manager->listen([this](const Event& event) {
            if (event.kind == Event::Kind::grade_changed) grades.push_back(event.lease->grade);
        });
    }
    FakeCgroups::PoolGroup& group() { return cgroups.tree.pools.at("exclusive"); }
    /// As when a sibling gets the same CPUs.
    void break_partition() {
        cgroups.foreign = group().cpus;
        group().valid = false;
        loop.announce_change("partition/exclusive");
    }
    Grade grade_now() const { return leases().at(0).grade; }

    std::vector<Grade> grades;
};

TEST_F(ManagerPartitionTest, LeasesInAPartitionHaveGradeB) {
    EXPECT_EQ(group().partition, PartitionType::root);
    const auto grant = isolate(100);
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_EQ(grant->grade, Grade::B);
    EXPECT_EQ(cgroups.tree.pools.at("shared").partition, PartitionType::member);
}

TEST_F(ManagerPartitionTest, QuietCpusOfAnIsolatedPartitionHaveGradeA) {
    isolated = {0, 1, 2, 3, 4, 8, 9, 10, 11, 12};
    quiet = {0, 8};
    config.pools[0].require_grade = Grade::A;
    ASSERT_TRUE(start_manager("boot-2"));
    manager->listen([this](const Event& event) {
        if (event.kind == Event::Kind::grade_changed) grades.push_back(event.lease->grade);
    });
    ASSERT_EQ(group().partition, PartitionType::isolated);
    const auto grant = isolate(100);
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_EQ(grant->grade, Grade::A);
    EXPECT_EQ(manager->verify(Peer{}, "")->front().raise, "");
    const auto noisy = isolate(101);
    ASSERT_FALSE(noisy) << "an interrupt comes to its CPUs";
    EXPECT_NE(noisy.error().message.find("requires grade A"), std::string::npos);
    EXPECT_EQ(noisy.error().code, Errc::not_enough_cpus) << "the quiet core may come free";
    const auto never = isolate(101, "exclusive", 2);
    ASSERT_FALSE(never);
    EXPECT_EQ(never.error().code, Errc::not_permitted);

    quiet = {};
    EXPECT_FALSE(manager->verify(Peer{}, "")->front().passed);
    EXPECT_EQ(grades.size(), 0U) << "verify changes nothing";
    loop.advance(600'000);  // the slow audit
    EXPECT_EQ(grades, std::vector<Grade>{Grade::B});
    EXPECT_NE(manager->verify(Peer{}, "")->front().raise.find("interrupts"), std::string::npos);
}

TEST_F(ManagerPartitionTest, APoolThatRequiresGradeAGivesItsQuietCores) {
    isolated = {0, 1, 2, 3, 4, 8, 9, 10, 11, 12};
    config.pools[0].require_grade = Grade::A;
    ASSERT_TRUE(start_manager("boot-2"));
    ASSERT_EQ(isolate(100).error().code, Errc::not_permitted);
    quiet = {2, 10, 3, 11};  // nobody has announced it
    const auto grant = isolate(101);
    ASSERT_TRUE(grant) << grant.error().message;
    EXPECT_EQ(grant->cpus, CpuSet({2, 10}));
    EXPECT_EQ(grant->grade, Grade::A);
    offline = grant->cpus;
    manager->machine_changed();
    EXPECT_EQ(leases().at(0).cpus, CpuSet({3, 11}));
}

TEST_F(ManagerPartitionTest, ABrokenPartitionLowersTheGradeAloudAndIsTriedAgain) {
    ASSERT_TRUE(isolate(100));
    break_partition();
    EXPECT_EQ(grade_now(), Grade::C);
    EXPECT_EQ(grades, std::vector<Grade>{Grade::C});
    loop.announce_change("partition/exclusive");  // of the repair that failed
    EXPECT_EQ(grades.size(), 1U);
    cgroups.foreign = {};
    loop.advance(30'000);
    EXPECT_EQ(grade_now(), Grade::B);
    EXPECT_EQ(grades, (std::vector<Grade>{Grade::C, Grade::B}));
    EXPECT_EQ(loop.timers(), 1U);  // the slow audit's
}

TEST_F(ManagerPartitionTest, MetricsTellOfGradesAndRepairs) {
    config.pools[0].require_grade = Grade::B;
    ASSERT_TRUE(start_manager(kBoot));
    ASSERT_TRUE(isolate(100));
    const auto expect = [&](const char* weak, const char* drops, const char* rises) {
        const std::string page = *manager->metrics(Peer{});
        EXPECT_EQ(test::value_in(page, "cmk_leases_below_required_grade{pool=\"exclusive\"}"),
                  weak);
        EXPECT_EQ(test::value_in(page, "cmk_lease_grade_drops_total{pool=\"exclusive\"}"), drops);
        EXPECT_EQ(test::value_in(page, "cmk_lease_grade_rises_total{pool=\"exclusive\"}"), rises);
    };
    expect("0", "0", "0");
    break_partition();
    expect("1", "1", "0");
    EXPECT_NE(test::value_in(*manager->metrics(Peer{}), "cmk_agent_problems"), "0");
    cgroups.foreign = {};
    loop.advance(30'000);
    expect("0", "1", "1");
    const std::string page = *manager->metrics(Peer{});
    EXPECT_EQ(test::value_in(page, "cmk_agent_problems"), "0");
    EXPECT_NE(test::value_in(page, "cmk_agent_repairs_total"), "0");
}

TEST_F(ManagerPartitionTest, WhatTheKernelDoesNotAnnounceIsFoundByTheSlowAudit) {
    ASSERT_TRUE(isolate(100));
    group().valid = false;
    loop.advance(599'000);
    EXPECT_FALSE(group().valid);
    loop.advance(1'000);
    EXPECT_TRUE(group().valid);
    // And again, without end.
    group().valid = false;
    loop.advance(600'000);
    EXPECT_TRUE(group().valid);
}

TEST_F(ManagerPartitionTest, OneThatIsBrokenAtStartIsTriedAgain) {
    cgroups.foreign = group().cpus;
    group().valid = false;
    ASSERT_TRUE(start_manager(kBoot));
    EXPECT_FALSE(cgroups.pool_state("exclusive").partition == PartitionType::root);
    cgroups.foreign = {};
    loop.advance(30'000);
    EXPECT_EQ(group().partition, PartitionType::root);
    EXPECT_TRUE(group().valid);
}

TEST_F(ManagerPartitionTest, OneThatReconcileCannotMendIsTriedAgain) {
    break_partition();
    ASSERT_TRUE(manager->reconcile(Peer{}));
    cgroups.foreign = {};
    loop.advance(30'000);
    EXPECT_EQ(group().partition, PartitionType::root);
}

TEST_F(ManagerPartitionTest, ReconcileMendsItAtOnceWhenTheWayIsFree) {
    break_partition();
    cgroups.foreign = {};
    ASSERT_TRUE(manager->reconcile(Peer{}));
    EXPECT_EQ(group().partition, PartitionType::root);
    EXPECT_EQ(loop.timers(), 1U);  // the slow audit's
}

TEST_F(ManagerPartitionTest, ARequiredGradeIsRefusedWhileThePartitionIsBroken) {
    config.pools[0].require_grade = Grade::B;
    ASSERT_TRUE(start_manager(kBoot));
    break_partition();
    const auto refused = isolate(100);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_permitted);
    EXPECT_TRUE(leases().empty());
    EXPECT_TRUE(group().leases.empty());
}

TEST_F(ManagerPartitionTest, VerifyNamesWhoIsInTheWay) {
    ASSERT_TRUE(isolate(100));
    cgroups.rival = " by /system.slice (CPUs 0-7)";
    break_partition();
    const auto verdicts = manager->verify(Peer{}, "");
    ASSERT_TRUE(verdicts);
    std::string evidence;
    for (const Check& check : verdicts->at(0).checks) {
        if (check.what == "partition") evidence = check.evidence;
    }
    EXPECT_NE(evidence.find("/system.slice"), std::string::npos) << evidence;
}

TEST_F(ManagerPartitionTest, PoolsThatCannotBeKeptLeaveTheEarlierOnesWatched) {
    write_pools = [](const std::vector<PoolSpec>&) -> Status {
        return make_error(Errc::io, "disk full");
    };
    ASSERT_FALSE(manager->reconfigure(Peer{}, {}, false));
    EXPECT_EQ(loop.timers(), 1U);  // the slow audit's
    EXPECT_EQ(test::value_in(*manager->metrics(Peer{}), "cmk_agent_reconfigurations_total"), "0");
    group().valid = false;
    loop.announce_change("partition/exclusive");
    EXPECT_TRUE(group().valid);
}

TEST_F(ManagerPartitionTest, GradeAIsAdvisedWhereTheKernelCanGiveIt) {
    const auto raise = [this] { return manager->verify(Peer{}, "")->front().raise; };
    ASSERT_TRUE(isolate(100));
    EXPECT_NE(raise().find("isolcpus="), std::string::npos);
    cgroups.remote_partitions = false;
    cgroups.local_partitions = true;
    EXPECT_EQ(raise(), "grade A needs Linux 6.7 or newer");
}

TEST_F(ManagerPartitionTest, OnlyLostCpusThatWereOursAreGivenBack) {
    cgroups.lost = group().cpus | CpuSet{63};
    ASSERT_TRUE(manager->reconcile(Peer{}));
    EXPECT_EQ(cgroups.lost, CpuSet{63});
}

TEST_F(ManagerPartitionTest, LimitsThatCannotBeKeptRefuse) {
    cgroups.limits = make_error(Errc::io, "memory.max");
    const auto refused = isolate(100);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("limits"), std::string::npos);
    EXPECT_TRUE(group().leases.empty());
}

}  // namespace
}  // namespace cmk
