// SPDX-License-Identifier: Apache-2.0
#include "core/topology.h"

#include <gtest/gtest.h>

#include "support/ledgers.h"
#include "support/topologies.h"

namespace cmk {
namespace {

using test::cpu_set;

std::vector<std::string> core_lists(const std::vector<const Core*>& cores) {
    std::vector<std::string> lists;
    for (const Core* core : cores)
        lists.push_back(core->cpus.to_comma_list());
    return lists;
}

using Lists = std::vector<std::string>;

TEST(Topology, groups_siblings_and_orders_cores_by_package_then_lowest_cpu) {
    const Topology topology = test::dual_socket_interleaved();
    EXPECT_EQ(core_lists(topology.cores_within(topology.cpus())),
              (Lists{"0,8", "2,10", "4,12", "6,14", "1,9", "3,11", "5,13", "7,15"}));
    EXPECT_EQ(topology.packages(), (std::vector<unsigned>{0, 1}));
    for (unsigned i = 0; i < topology.cores().size(); ++i)
        EXPECT_EQ(topology.cores()[i].index, i);
}

TEST(Topology, knows_the_core_of_each_online_cpu_only) {
    const Topology topology = test::holes_offline();
    ASSERT_NE(topology.core_of(4), nullptr);
    EXPECT_EQ(topology.core_of(4)->cpus, (CpuSet{0, 4}));
    EXPECT_EQ(topology.core_of(70)->cpus, (CpuSet{70}));
    for (const unsigned offline : {5U, 7U, 69U, 71U, ~0U})
        EXPECT_EQ(topology.core_of(offline), nullptr) << offline;
    EXPECT_EQ(topology.cpus().to_cpulist(), "0-4,6,70");
}

TEST(Topology, cores_within_a_set_are_whole) {
    const Topology topology = test::single_socket_smt();
    EXPECT_EQ(core_lists(topology.cores_within(cpu_set("0-2,4,6,99"))), (Lists{"0,4", "2,6"}));
    EXPECT_TRUE(topology.cores_within({}).empty());
    EXPECT_EQ(core_lists(test::holes_offline().cores_within(cpu_set("1,2"))), (Lists{"1"}));
}

TEST(Topology, keeps_cpu_kinds) {
    const Topology topology = test::hybrid();
    EXPECT_EQ(topology.core_of(1)->kind, "IntelCore");
    EXPECT_EQ(topology.core_of(7)->kind, "IntelAtom");
    EXPECT_EQ(topology.cores().size(), 6U);
}

struct BadRecords {
    const char* why;
    std::vector<CpuRecord> records;
};

TEST(Topology, refuses_records_that_cannot_be) {
    const std::vector<BadRecords> cases{
        {"no CPU", {}},
        {"listed twice", {{.cpu = 1, .core = 0}, {.cpu = 1, .core = 1}}},
        {"beyond", {{.cpu = kMaxCpus}}},
        {"spans two packages",
         {{.cpu = 0, .core = 0, .package = 0}, {.cpu = 1, .core = 0, .package = 1}}},
    };
    for (const BadRecords& c : cases) {
        const auto topology = Topology::from_records(c.records);
        ASSERT_FALSE(topology) << c.why;
        EXPECT_EQ(topology.error().code, Errc::invalid_argument);
        EXPECT_NE(topology.error().message.find(c.why), std::string::npos)
            << topology.error().message;
    }
}

}  // namespace
}  // namespace cmk
