// SPDX-License-Identifier: Apache-2.0
#include "core/ledger.h"

#include <gtest/gtest.h>

#include "support/ledgers.h"

namespace cmk {
namespace {

using test::cpu_set;
using test::exclusive_pool;
using test::lease_of;
using test::ledger_of;
using test::pool_of;
using test::shared_pool;

/// Pools 0-7 and 8-11; l1 holds 0-1, l2 holds 2-3, s1 all of the shared pool.
Ledger busy_ledger() {
    return ledger_of({exclusive_pool("0-7"), shared_pool("8-11")},
                     {lease_of("l1", "exclusive", "0-1"), lease_of("l2", "exclusive", "2-3"),
                      lease_of("s1", "shared", "8-11")});
}

/// Refused, with everything as before; the error.
Error refusal(Ledger& ledger, const LedgerDelta& delta) {
    const auto leases = ledger.leases();
    const auto pools = ledger.pools();
    EXPECT_FALSE(ledger.check(delta));
    const Status applied = ledger.apply(delta);
    EXPECT_EQ(ledger.leases(), leases);
    EXPECT_EQ(ledger.pools(), pools);
    return applied ? Error{} : applied.error();
}

void expect_refusal(Ledger ledger, const LedgerDelta& delta, Errc code, const std::string& text) {
    const Error error = refusal(ledger, delta);
    EXPECT_EQ(error.code, code);
    EXPECT_EQ(error.message, text);
}

TEST(Ledger, KnowsWhatIsLeasedAndWhatIsFree) {
    const Ledger ledger = busy_ledger();
    EXPECT_EQ(ledger.leased("exclusive").to_cpulist(), "0-3");
    EXPECT_EQ(ledger.free(*ledger.pool("exclusive")).to_cpulist(), "4-7");
    EXPECT_TRUE(ledger.leased("shared").empty());
    EXPECT_EQ(ledger.free(*ledger.pool("shared")).to_cpulist(), "8-11");
    EXPECT_EQ(ledger.lease("l2")->cpus.to_cpulist(), "2-3");
    EXPECT_EQ(ledger.lease("l3"), nullptr);
    EXPECT_EQ(ledger.pool("l1"), nullptr);
}

TEST(Ledger, RemovedLeasesGiveTheirCpusBack) {
    Ledger ledger = busy_ledger();
    ASSERT_TRUE(ledger.apply({.removed = {"l1", "s1"}}));
    EXPECT_EQ(ledger.leased("exclusive").to_cpulist(), "2-3");
    EXPECT_EQ(ledger.leases().size(), 1U);
    ASSERT_TRUE(ledger.apply({.added = {lease_of("l4", "exclusive", "0-1")}}));
}

TEST(Ledger, NoCpuIsInTwoExclusiveLeases) {
    expect_refusal(busy_ledger(), {.added = {lease_of("l3", "exclusive", "3-4")}}, Errc::conflict,
                   "lease \"l3\" (pid 1000 \"worker\" of user \"alice\") would share CPU 3 with "
                   "lease \"l2\" (pid 1000 \"worker\" of user \"alice\")");
    expect_refusal(
        busy_ledger(),
        {.added = {lease_of("l3", "exclusive", "4-5"), lease_of("l4", "exclusive", "5-6")}},
        Errc::conflict,
        "lease \"l4\" (pid 1000 \"worker\" of user \"alice\") would share CPU 5 with lease \"l3\" "
        "(pid 1000 \"worker\" of user \"alice\")");
}

TEST(Ledger, LeasesOfASharedPoolOverlap) {
    Ledger ledger = busy_ledger();
    EXPECT_TRUE(ledger.apply({.added = {lease_of("s2", "shared", "8-11")}}));
}

TEST(Ledger, ALeaseLiesInsideItsPool) {
    expect_refusal(busy_ledger(), {.added = {lease_of("l3", "exclusive", "7-8")}}, Errc::conflict,
                   "lease \"l3\" (pid 1000 \"worker\" of user \"alice\") wants CPUs \"7-8\", pool "
                   "\"exclusive\" has \"0-7\"");
    expect_refusal(busy_ledger(), {.added = {lease_of("s2", "shared", "0")}}, Errc::conflict,
                   "lease \"s2\" (pid 1000 \"worker\" of user \"alice\") wants CPUs \"0\", pool "
                   "\"shared\" has \"8-11\"");
    Ledger ledger = busy_ledger();
    EXPECT_EQ(refusal(ledger, {.added = {lease_of("l3", "exclusive", "")}}).code, Errc::conflict);
}

TEST(Ledger, ALeaseOfAPoolThatIsNotThereIsRefused) {
    expect_refusal(busy_ledger(), {.added = {lease_of("l3", "nowhere", "4")}}, Errc::unknown_pool,
                   "lease \"l3\" names pool \"nowhere\", which does not exist");
}

TEST(Ledger, AnIdIsUsedOnce) {
    expect_refusal(busy_ledger(), {.added = {lease_of("l1", "exclusive", "4")}}, Errc::conflict,
                   "lease id \"l1\" is in use");
    expect_refusal(busy_ledger(),
                   {.added = {lease_of("n", "exclusive", "4"), lease_of("n", "exclusive", "5")}},
                   Errc::conflict, "lease id \"n\" is in use");
}

TEST(Ledger, OnlyALeaseThatIsThereIsRemoved) {
    expect_refusal(busy_ledger(), {.removed = {"l1", "l9"}}, Errc::unknown_lease,
                   "no lease \"l9\"");
}

TEST(Ledger, AReplacedLeaseMayKeepOrChangeItsCpus) {
    Ledger ledger = busy_ledger();
    ASSERT_TRUE(ledger.apply({.removed = {"l1"}, .added = {lease_of("l1", "exclusive", "1,4")}}));
    EXPECT_EQ(ledger.leased("exclusive").to_cpulist(), "1-4");
    EXPECT_EQ(ledger.lease("l1")->cpus.to_cpulist(), "1,4");
    EXPECT_EQ(refusal(ledger, {.removed = {"l1"}, .added = {lease_of("l1", "exclusive", "2")}})
                  .message.find("lease \"l1\" (pid 1000 \"worker\" of user \"alice\") would share"),
              0U);
}

TEST(Ledger, CpusOfARemovedLeaseMayGoToAnother) {
    Ledger ledger = busy_ledger();
    ASSERT_TRUE(ledger.apply({.removed = {"l1"}, .added = {lease_of("l3", "exclusive", "0-1,4")}}));
    EXPECT_EQ(ledger.leased("exclusive").to_cpulist(), "0-4");
}

TEST(Ledger, PoolsAreDisjointAndNamedOnce) {
    expect_refusal({}, {.pools = {{exclusive_pool("0-3"), shared_pool("3-5")}}}, Errc::conflict,
                   "pools \"exclusive\" and \"shared\" would both have CPU 3");
    expect_refusal({}, {.pools = {{exclusive_pool("0"), exclusive_pool("1")}}}, Errc::conflict,
                   "pool \"exclusive\" is there twice");
}

TEST(Ledger, APoolThatLosesALeasedCpuIsRefusedWithTheLease) {
    const std::string holder =
        "lease \"l1\" (pid 1000 \"worker\" of user \"alice\") holds CPUs 0-1, but ";
    const std::string advice = "; release it first, or keep its CPUs in that pool";
    expect_refusal(busy_ledger(), {.pools = {{exclusive_pool("1-7"), shared_pool("8-11")}}},
                   Errc::conflict, holder + "pool \"exclusive\" would lose CPU 0" + advice);
    expect_refusal(busy_ledger(), {.pools = {{shared_pool("8-11")}}}, Errc::conflict,
                   holder + "pool \"exclusive\" would be removed" + advice);
    expect_refusal(
        busy_ledger(),
        {.pools = {{pool_of("exclusive", PoolKind::shared, "0-7"), shared_pool("8-11")}}},
        Errc::conflict, holder + "pool \"exclusive\" would become shared" + advice);
}

TEST(Ledger, AnAdoptedLeasesOwnerIsUnknown) {
    Lease adopted = lease_of("l1", "exclusive", "0");
    adopted.owner = {};
    Ledger ledger = ledger_of({exclusive_pool("0-1")}, {adopted});
    EXPECT_EQ(refusal(ledger, {.pools = {{exclusive_pool("1")}}}).message,
              "lease \"l1\" (owner unknown) holds CPU 0, but pool \"exclusive\" would lose CPU 0; "
              "release it first, or keep its CPUs in that pool");
}

TEST(Ledger, PoolsMayChangeAroundLeasesThatFit) {
    Ledger ledger = busy_ledger();
    ASSERT_TRUE(ledger.apply({.pools = {{shared_pool("4-11"), exclusive_pool("0-3,12")}}}));
    EXPECT_EQ(ledger.free(*ledger.pool("exclusive")).to_cpulist(), "12");
    EXPECT_EQ(ledger.pools()[0].spec.name, "shared");
}

TEST(Ledger, PoolsAndLeasesMayChangeTogether) {
    Ledger ledger = busy_ledger();
    ASSERT_TRUE(ledger.apply({.removed = {"l1", "l2", "s1"},
                              .added = {lease_of("n", "new", "0-1")},
                              .pools = {{pool_of("new", PoolKind::exclusive, "0-3")}}}));
    EXPECT_EQ(ledger.leased("new").to_cpulist(), "0-1");
    EXPECT_TRUE(ledger.leased("exclusive").empty());
}

TEST(Ledger, APoolThatChangesItsKindStartsAnew) {
    Ledger ledger = busy_ledger();
    ASSERT_TRUE(ledger.apply(
        {.removed = {"l1", "l2"},
         .pools = {{pool_of("exclusive", PoolKind::shared, "0-7"), shared_pool("8-11")}}}));
    ASSERT_TRUE(ledger.apply({.added = {lease_of("a", "exclusive", "0-7")}}));
    EXPECT_TRUE(ledger.leased("exclusive").empty());
    ASSERT_TRUE(ledger.apply({.removed = {"a"},
                              .added = {lease_of("b", "exclusive", "0-7")},
                              .pools = {{exclusive_pool("0-7"), shared_pool("8-11")}}}));
    EXPECT_EQ(ledger.leased("exclusive").to_cpulist(), "0-7");
}

}  // namespace
}  // namespace cmk
