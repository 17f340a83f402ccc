// SPDX-License-Identifier: Apache-2.0
#include "core/plan.h"

#include <gtest/gtest.h>

#include "support/fake_cgroup_tree.h"
#include "support/ledgers.h"

namespace cmk {
namespace {

using test::exclusive_pool;
using test::FakeCgroupTree;
using test::lease_of;
using test::ledger_of;
using test::shared_pool;

/// "set-root 0-3", one for each edit.
std::vector<std::string> lines(const Plan& plan) {
    std::vector<std::string> all;
    for (const Edit& edit : plan) {
        std::string line(to_text(edit.kind));
        if (!edit.pool.empty()) line += " " + edit.pool;
        if (!edit.lease.empty()) line += "/" + edit.lease;
        all.push_back(line + " " + edit.cpus.to_cpulist());
    }
    return all;
}

using Lines = std::vector<std::string>;

/// The plan works on a tree with the kernel's rules, gives the tree of the new ledger, and its
/// inverse gives the old one back.
Plan checked_plan(Ledger ledger, const LedgerDelta& delta) {
    const Plan plan = make_plan(ledger, delta);
    const auto before = FakeCgroupTree::from_ledger(ledger);
    FakeCgroupTree tree = before;
    const Status done = tree.apply(plan);
    EXPECT_TRUE(done) << done.error().message;
    const Status applied = ledger.apply(delta);
    EXPECT_TRUE(applied) << applied.error().message;
    EXPECT_EQ(tree, FakeCgroupTree::from_ledger(ledger));
    const Status undone = tree.apply(inverse(plan));
    EXPECT_TRUE(undone) << undone.error().message;
    EXPECT_EQ(tree, before);
    EXPECT_EQ(inverse(inverse(plan)), plan);
    return plan;
}

TEST(Plan, ALeaseIsMadeBeforeItsOwnerGoesIn) {
    const Ledger ledger = ledger_of({exclusive_pool("0-3")});
    EXPECT_EQ(lines(checked_plan(ledger, {.added = {lease_of("l1", "exclusive", "0-1")}})),
              (Lines{"make-lease exclusive/l1 0-1", "attach exclusive/l1 0-1"}));
}

TEST(Plan, ALeaseThatGetsOtherCpusKeepsItsGroup) {
    const Ledger ledger = ledger_of({exclusive_pool("0-3")}, {lease_of("l1", "exclusive", "0-1")});
    EXPECT_EQ(lines(checked_plan(
                  ledger, {.removed = {"l1"}, .added = {lease_of("l1", "exclusive", "2-3")}})),
              (Lines{"set-lease exclusive/l1 2-3"}));
}

Pool partition_pool(const char* cpus) {
    Pool pool = exclusive_pool(cpus);
    pool.partition = PartitionType::root;
    return pool;
}

Lease in_place(Lease lease) {
    lease.place = {PlaceKind::child, "kubepods.slice/pod"};
    return lease;
}

TEST(Plan, APartitionHandsOverItsCpusBeforeALeaseTakesThemInPlace) {
    const Ledger ledger = ledger_of({partition_pool("0-3")});
    const Plan plan =
        checked_plan(ledger, {.added = {in_place(lease_of("l1", "exclusive", "0-1"))}});
    EXPECT_EQ(lines(plan), (Lines{"set-pool exclusive 2-3", "set-reserved 2-3",
                                  "make-lease exclusive/l1 0-1", "attach exclusive/l1 0-1"}));
    EXPECT_EQ(plan[2].partition, PartitionType::root);
    EXPECT_EQ(plan[2].place.path, "kubepods.slice/pod");
}

TEST(Plan, APartitionGetsBackWhatALeaseHadInPlace) {
    const Ledger ledger =
        ledger_of({partition_pool("0-3")}, {in_place(lease_of("l1", "exclusive", "0-1")),
                                            in_place(lease_of("l2", "exclusive", "2-3"))});
    EXPECT_EQ(lines(checked_plan(ledger, {.removed = {"l1"}})),
              (Lines{"detach exclusive/l1 0-1", "remove-lease exclusive/l1 0-1", "set-reserved 0-1",
                     "make-pool exclusive 0-1"}));
}

TEST(Plan, TheLastCpusThatAreHandedOverTakeThePoolsGroupAlong) {
    const Ledger ledger = ledger_of({partition_pool("0-1")});
    EXPECT_EQ(
        lines(checked_plan(ledger, {.added = {in_place(lease_of("l1", "exclusive", "0-1"))}})),
        (Lines{"remove-pool exclusive 0-1", "set-reserved ", "make-lease exclusive/l1 0-1",
               "attach exclusive/l1 0-1"}));
}

TEST(Plan, WhatIsHeldByAffinityAloneLeavesThePartitionToo) {
    for (const Hold hold : {Hold::affinity, Hold::none}) {
        const Plan plan = checked_plan(ledger_of({partition_pool("0-3")}),
                                       {.added = {lease_of("l1", "exclusive", "0-1", hold)}});
        Lines wanted{"set-pool exclusive 2-3", "set-reserved 2-3"};
        if (hold == Hold::affinity) wanted.push_back("attach exclusive/l1 0-1");
        EXPECT_EQ(lines(plan), wanted);
    }
}

TEST(Plan, APlainCpusetKeepsWhatALeaseHoldsInPlace) {
    for (const Pool& pool : {exclusive_pool("0-3"), shared_pool("0-3")}) {
        const Plan plan = checked_plan(
            ledger_of({pool}), {.added = {in_place(lease_of("l1", pool.spec.name, "0-3"))}});
        EXPECT_EQ(lines(plan), (Lines{"make-lease " + pool.spec.name + "/l1 0-3",
                                      "attach " + pool.spec.name + "/l1 0-3"}));
        EXPECT_EQ(plan[0].partition, PartitionType::member);
    }
}

TEST(Plan, ALeaseIsEmptiedBeforeItGoes) {
    const Ledger ledger = ledger_of({exclusive_pool("0-3")}, {lease_of("l1", "exclusive", "0-1")});
    EXPECT_EQ(lines(checked_plan(ledger, {.removed = {"l1"}})),
              (Lines{"detach exclusive/l1 0-1", "remove-lease exclusive/l1 0-1"}));
}

TEST(Plan, LeasesWithoutAGroupOnlyMoveTheirOwnerOrNothing) {
    const Ledger ledger =
        ledger_of({exclusive_pool("0-3")}, {lease_of("a", "exclusive", "0", Hold::affinity),
                                            lease_of("n", "exclusive", "1", Hold::none)});
    EXPECT_EQ(lines(checked_plan(ledger, {.removed = {"a", "n"}})),
              (Lines{"detach exclusive/a 0"}));
    EXPECT_EQ(lines(checked_plan(ledger, {.added = {lease_of("b", "exclusive", "2", Hold::affinity),
                                                    lease_of("m", "exclusive", "3", Hold::none)}})),
              (Lines{"attach exclusive/b 2"}));
}

TEST(Plan, TheFirstPoolsGrowFromTheTop) {
    EXPECT_EQ(lines(checked_plan({}, {.pools = {{exclusive_pool("0-3"), shared_pool("4-5")}}})),
              (Lines{"set-root 0-5", "make-pool exclusive 0-3", "make-pool shared 4-5"}));
}

TEST(Plan, TheLastPoolsShrinkFromTheLeaves) {
    const Ledger ledger =
        ledger_of({exclusive_pool("0-3"), shared_pool("4-5")}, {lease_of("l1", "exclusive", "0")});
    EXPECT_EQ(lines(checked_plan(ledger, {.removed = {"l1"}, .pools = std::vector<Pool>{}})),
              (Lines{"detach exclusive/l1 0", "remove-lease exclusive/l1 0",
                     "remove-pool exclusive 0-3", "remove-pool shared 4-5", "set-root "}));
}

TEST(Plan, ACpuThatChangesPoolsIsNeverInTwo) {
    const Ledger ledger = ledger_of({exclusive_pool("0-3"), shared_pool("4-7")});
    EXPECT_EQ(lines(checked_plan(ledger, {.pools = {{exclusive_pool("0-5"), shared_pool("6-7")}}})),
              (Lines{"set-pool shared 6-7", "set-pool exclusive 0-5"}));
    EXPECT_EQ(lines(checked_plan(ledger, {.pools = {{exclusive_pool("0-1"), shared_pool("2-7")}}})),
              (Lines{"set-pool exclusive 0-1", "set-pool shared 2-7"}));
}

TEST(Plan, TheRootHoldsOldAndNewPoolsInBetween) {
    const Ledger ledger = ledger_of({exclusive_pool("0-3")});
    EXPECT_EQ(lines(checked_plan(ledger, {.pools = {{exclusive_pool("2-5")}}})),
              (Lines{"set-root 0-5", "set-pool exclusive 2-3", "set-pool exclusive 2-5",
                     "set-root 2-5"}));
}

TEST(Plan, PoolsThatSwapAllTheirCpusAreMadeAnew) {
    const Ledger ledger = ledger_of({exclusive_pool("0-1"), shared_pool("2-3")});
    EXPECT_EQ(lines(checked_plan(ledger, {.pools = {{exclusive_pool("2-3"), shared_pool("0-1")}}})),
              (Lines{"remove-pool exclusive 0-1", "remove-pool shared 2-3",
                     "make-pool exclusive 2-3", "make-pool shared 0-1"}));
}

TEST(Plan, AnEmptyPoolHasNoGroup) {
    const Ledger ledger = ledger_of({exclusive_pool("0-1"), shared_pool("")});
    EXPECT_EQ(
        lines(checked_plan(ledger, {.pools = {{exclusive_pool(""), shared_pool("2")}}})),
        (Lines{"set-root 0-2", "remove-pool exclusive 0-1", "make-pool shared 2", "set-root 2"}));
}

TEST(Plan, ALeaseThatDiffersOnlyInWhatIsWrittenDownNeedsNoEdit) {
    const Ledger ledger = ledger_of({exclusive_pool("0-3")}, {lease_of("l1", "exclusive", "0-1")});
    Lease renamed = lease_of("l1", "exclusive", "0-1");
    renamed.grade = Grade::C;
    renamed.owner.command = "other";
    EXPECT_TRUE(checked_plan(ledger, {.removed = {"l1"}, .added = {renamed}}).empty());
}

TEST(Plan, WhatChangesNothingNeedsNoEdit) {
    const Ledger ledger =
        ledger_of({exclusive_pool("0-3"), shared_pool("4")}, {lease_of("l1", "exclusive", "0")});
    EXPECT_TRUE(checked_plan(ledger, {}).empty());
    EXPECT_TRUE(
        checked_plan(ledger, {.pools = {{shared_pool("4"), exclusive_pool("0-3")}}}).empty());
}

TEST(Plan, EveryEditUndoesItsInverse) {
    for (const EditKind kind :
         {EditKind::set_root, EditKind::make_pool, EditKind::set_pool, EditKind::remove_pool,
          EditKind::make_lease, EditKind::remove_lease, EditKind::attach, EditKind::detach}) {
        const Edit edit{.kind = kind, .pool = "p", .lease = "l", .cpus = {1}, .before = {2}};
        EXPECT_FALSE(inverse(edit) == edit) << to_text(kind);
        EXPECT_EQ(inverse(inverse(edit)), edit) << to_text(kind);
    }
}

}  // namespace
}  // namespace cmk
