// SPDX-License-Identifier: Apache-2.0
#include "core/report.h"

#include <gtest/gtest.h>

#include "support/ledgers.h"
#include "support/topologies.h"

namespace cmk {
namespace {

using test::cpu_set;
using test::exclusive_pool;
using test::lease_of;
using test::ledger_of;
using test::shared_pool;

TEST(Report, CountsWholeCoresOnly) {
    const Topology topology = test::single_socket_smt();
    EXPECT_EQ(count_cores(topology, cpu_set("0-7")), 4U);
    EXPECT_EQ(count_cores(topology, cpu_set("0-2,4")), 1U);
    EXPECT_EQ(count_cores(topology, {}), 0U);
    EXPECT_EQ(count_cores(test::holes_offline(), cpu_set("1,70")), 2U);
}

TEST(Report, TellsOfEachPoolInTheLedgersOrder) {
    const Ledger ledger =
        ledger_of({shared_pool("3,7"), exclusive_pool("0-2,4-6")},
                  {lease_of("l1", "exclusive", "0,4"), lease_of("l2", "exclusive", "2,6"),
                   lease_of("s1", "shared", "3,7")});
    const auto reports = report_pools(test::single_socket_smt(), ledger);
    ASSERT_EQ(reports.size(), 2U);
    EXPECT_EQ(reports[0].pool, *ledger.pool("shared"));
    EXPECT_EQ(reports[0].free.to_cpulist(), "3,7");
    EXPECT_EQ(reports[0].cores, 1U);
    EXPECT_EQ(reports[0].free_cores, 1U);
    EXPECT_EQ(reports[0].leases, 1U);
    EXPECT_EQ(reports[1].free.to_cpulist(), "1,5");
    EXPECT_EQ(reports[1].cores, 3U);
    EXPECT_EQ(reports[1].free_cores, 1U);
    EXPECT_EQ(reports[1].leases, 2U);
    EXPECT_EQ(reports[1].waiting, 0U);
}

TEST(Report, AnEmptyPoolHasNothingFree) {
    const auto reports =
        report_pools(test::single_socket_smt(), ledger_of({exclusive_pool(""), shared_pool("")}));
    for (const PoolReport& report : reports) {
        EXPECT_EQ(report.cores, 0U);
        EXPECT_EQ(report.free_cores, 0U);
        EXPECT_TRUE(report.free.empty());
    }
}

TEST(Report, NamesAreReadBack) {
    for (const PoolKind kind : {PoolKind::exclusive, PoolKind::shared})
        EXPECT_EQ(pool_kind_from(to_text(kind)), kind);
    for (const PoolMode mode : {PoolMode::packed, PoolMode::spread})
        EXPECT_EQ(pool_mode_from(to_text(mode)), mode);
    for (const Isolation isolation :
         {Isolation::automatic, Isolation::partition, Isolation::cpuset, Isolation::affinity})
        EXPECT_EQ(isolation_from(to_text(isolation)), isolation);
    for (const Grade grade : {Grade::A, Grade::B, Grade::C, Grade::D})
        EXPECT_EQ(grade_from(to_text(grade)), grade);
    for (const char* text : {"", "?", "Exclusive", "a", "auto "}) {
        EXPECT_FALSE(pool_kind_from(text)) << text;
        EXPECT_FALSE(pool_mode_from(text)) << text;
        EXPECT_FALSE(isolation_from(text)) << text;
        EXPECT_FALSE(grade_from(text)) << text;
    }
}

TEST(Report, HoldsStatesAndEventsHaveNames) {
    EXPECT_EQ(to_text(Hold::cpuset), "cpuset");
    EXPECT_EQ(to_text(Hold::affinity), "affinity");
    EXPECT_EQ(to_text(Hold::none), "none");
    EXPECT_EQ(to_text(LeaseStatus::intent), "intent");
    EXPECT_EQ(to_text(LeaseStatus::committed), "committed");
    EXPECT_EQ(to_text(Event::Kind::lease_added), "lease-added");
    EXPECT_EQ(to_text(Event::Kind::lease_removed), "lease-removed");
    EXPECT_EQ(to_text(Event::Kind::pools_changed), "pools-changed");
}

TEST(Report, AStrongerGradeIsEnough) {
    EXPECT_TRUE(is_at_least(Grade::A, Grade::D));
    EXPECT_TRUE(is_at_least(Grade::C, Grade::C));
    EXPECT_FALSE(is_at_least(Grade::D, Grade::C));
}

}  // namespace
}  // namespace cmk
