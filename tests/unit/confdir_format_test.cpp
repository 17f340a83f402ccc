// SPDX-License-Identifier: Apache-2.0
// Names of CPU lists, task files and the layout, without a file system.
#include <gtest/gtest.h>

#include "base/text.h"
#include "confdir/content.h"
#include "confdir/init_plan.h"
#include "confdir/layout.h"
#include "confdir/list_name.h"
#include "confdir/tasks_file.h"
#include "support/topologies.h"

namespace cmk {
namespace {

using Ids = std::vector<unsigned>;
using Names = std::vector<std::string>;

Ids ids_of(std::string_view name) {
    const auto ids = parse_list_name(name);
    EXPECT_TRUE(ids) << ids.error().message;
    return ids ? *ids : Ids{};
}

TEST(ConfdirListName, ExpandsIdsAndRanges) {
    EXPECT_EQ(ids_of(""), Ids{});
    EXPECT_EQ(ids_of("0"), Ids{0});
    EXPECT_EQ(ids_of("0-1,4-6,9-10"), (Ids{0, 1, 4, 5, 6, 9, 10}));
    EXPECT_EQ(ids_of("0,1,4,5,6,9,10"), (Ids{0, 1, 4, 5, 6, 9, 10}));
    EXPECT_EQ(ids_of("1,5,2,6"), (Ids{1, 5, 2, 6}));
}

TEST(ConfdirListName, RefusesEverythingElse) {
    for (const char* name : {",", "-", "0,", "0,-", "0,1-", "0,1-2,", "a", "0 ", "0\n", "5-3",
                             "0-7:1/2", "8192", "-1", "0,,1", "0x1"}) {
        const auto ids = parse_list_name(name);
        ASSERT_FALSE(ids) << name;
        EXPECT_EQ(ids.error().code, Errc::invalid_argument);
        EXPECT_FALSE(ids.error().message.empty());
    }
}

TEST(ConfdirListName, HasSiblingsAdjacentInCoreOrder) {
    const Topology topology = test::single_socket_smt();
    EXPECT_EQ(list_names(topology.cores_within({1, 5, 2, 6})), Names{"1,5,2,6"});
    EXPECT_EQ(list_names({}), Names{});
}

TEST(ConfdirListName, UsesRangesWhereItWouldBeTooLong) {
    const Topology topology = test::make_uniform(1, 1, 1, 64, 2);
    const auto cores = topology.cores_within(topology.cpus());
    EXPECT_EQ(list_names(cores), Names{"0-127"});
    const Topology small = test::make_uniform(1, 1, 1, 36, 2);
    const Names names = list_names(small.cores_within(small.cpus()));
    ASSERT_EQ(names.size(), 1U);
    EXPECT_TRUE(names[0].starts_with("0,36,1,37,"));
}

TEST(ConfdirListName, IsSplitWhereRangesAreTooLongAsWell) {
    std::vector<CpuRecord> records;
    for (unsigned cpu = 0; cpu < 512; ++cpu)
        records.push_back({.cpu = cpu, .core = cpu % 256, .package = cpu % 2});
    const Topology topology = Topology::from_records(records).value();
    CpuSet even;
    for (unsigned cpu = 0; cpu < 512; cpu += 2)
        even.add(cpu);
    const Names names = list_names(topology.cores_within(even));
    EXPECT_GT(names.size(), 1U);
    CpuSet all;
    for (const std::string& name : names) {
        EXPECT_LE(name.size(), kMaxListName);
        for (const unsigned cpu : ids_of(name)) {
            EXPECT_FALSE(all.contains(cpu)) << cpu;
            all.add(cpu);
        }
    }
    EXPECT_EQ(all, even);
}

TEST(ConfdirTasks, AreSplitAtCommasAndTrimmed) {
    using Pids = std::vector<int>;
    EXPECT_EQ(parse_tasks("").value(), Pids{});
    EXPECT_EQ(parse_tasks("12").value(), Pids{12});
    EXPECT_EQ(parse_tasks("12, 13\n").value(), (Pids{12, 13}));
    EXPECT_EQ(parse_tasks("12,13,").value(), (Pids{12, 13}));
    EXPECT_EQ(parse_tasks(",,").value(), Pids{});
    EXPECT_EQ(parse_tasks("1789101112").value(), Pids{1789101112});
    EXPECT_EQ(format_tasks({{.pid = 12}, {.pid = 13}}), "12,13");
    EXPECT_EQ(format_tasks({}), "");
}

TEST(ConfdirTasks, RefuseWhatIsNoProcessId) {
    for (const char* text : {"\n", "12,\n", "x", "1 2", "-5", "12;13", "99999999999", "0x5"}) {
        const auto pids = parse_tasks(text);
        ASSERT_FALSE(pids) << text;
        EXPECT_EQ(pids.error().code, Errc::invalid_argument);
    }
}

TEST(ConfdirStarts, CountForTheirOwnTasksFileOnly) {
    const TasksStamp stamp{.inode = 7, .modified = 1690000000123456789};
    const std::vector<Task> tasks{{.pid = 5, .start_time = 100}, {.pid = 6}};
    const std::string text = format_starts(stamp, tasks);
    EXPECT_EQ(text, "7:1690000000123456789 5:100\n");
    const auto starts = parse_starts(text);
    ASSERT_TRUE(starts);
    EXPECT_EQ(with_start_times({5, 6, 9}, stamp, starts),
              (std::vector<Task>{{.pid = 5, .start_time = 100}, {.pid = 6}, {.pid = 9}}));
    const TasksStamp other{.inode = 7, .modified = 1690000000123456790};
    EXPECT_EQ(with_start_times({5}, other, starts), std::vector<Task>{{.pid = 5}});
    EXPECT_EQ(with_start_times({5}, stamp, std::nullopt), std::vector<Task>{{.pid = 5}});
}

TEST(ConfdirStarts, OfAnotherFormAreIgnored) {
    for (const char* text : {"", "x", "7:1", "7:1 ", "7:1 5", "7:1 5:x", "7:1 5:1 6:1", "7 5:1",
                             "7:99999999999999999999 5:1", "7:1 99999999999:1"}) {
        EXPECT_FALSE(parse_starts(text)) << text;
    }
}

TEST(ConfdirPath, IsNormalisedAsPythonDoes) {
    for (const auto& [path, normal] :
         std::vector<std::pair<std::string, std::string>>{{"/etc/cmk/", "/etc/cmk"},
                                                          {"/etc//cmk/.", "/etc/cmk"},
                                                          {"/etc/x/../cmk", "/etc/cmk"},
                                                          {"a/..", "."},
                                                          {"", "."},
                                                          {"../a", "../a"},
                                                          {"/..", "/"},
                                                          {"//etc", "//etc"},
                                                          {"///etc", "/etc"},
                                                          {"a/../../b", "../b"}}) {
        EXPECT_EQ(normalised_path(path), normal) << path;
    }
}

TEST(ConfdirOrder, OfListsIsNumericByFirstCpu) {
    const auto list = [](const std::string& name) {
        return CpuList{.pool = "p", .socket = "0", .name = name, .cpus = ids_of(name), .tasks = {}};
    };
    const ListedPool pool{.name = "p",
                          .exclusive = true,
                          .sockets = {"0"},
                          .lists = {list("0,12"), list("1,13"), list("10,22"), list("2,14")}};
    Names names;
    for (const CpuList* each : in_numeric_order(pool))
        names.push_back(each->name);
    EXPECT_EQ(names, (Names{"0,12", "1,13", "2,14", "10,22"}));
}

TEST(ConfdirIsolcpus, SkipsWhatTheOriginalSkips) {
    const auto list = [](std::string_view cmdline) {
        const auto cpus = parse_isolcpus_as_original(cmdline, 31);
        EXPECT_TRUE(cpus) << cpus.error().message;
        return cpus ? cpus->to_cpulist() : "error";
    };
    for (const char* none : {"", "a", "a b", "a b=7 c=7,8,9\nA B C", "isolcpus=", "isolcpus=1=2",
                             "isolcpus=0-1-2", "ISOLCPUS=1"}) {
        EXPECT_EQ(list(none), "") << none;
    }
    EXPECT_EQ(list("ro net.ifnames=0 isolcpus=0,1,2,3,8,9,10,11"), "0-3,8-11");
    EXPECT_EQ(list("ro isolcpus=0,1,2,3,8,9,10,11,15-18 quiet"), "0-3,8-11,15-18");
    EXPECT_EQ(list("isolcpus=0,1,2,3,8,9,10,11,10-13\n"), "0-3,8-13");
    EXPECT_EQ(list("isolcpus=0-3,4-5-6,8"), "0-3,8");
    EXPECT_EQ(list("isolcpus=managed_irq,domain,2-5"), "2-5");
    EXPECT_EQ(list("isolcpus=30-N"), "30-31");
    EXPECT_FALSE(parse_isolcpus_as_original("isolcpus=x", 31));
}

TEST(ConfdirLayout, HasEverySocketInEachPool) {
    const Topology topology = test::dual_socket_numa();
    const auto plan = plan_init(topology, lscpu_core_ids(topology), {}, {});
    ASSERT_TRUE(plan) << plan.error().message;
    const auto layout = make_layout(*plan, topology);
    ASSERT_EQ(layout.size(), 3U);
    EXPECT_EQ(layout[0].name, "exclusive");
    EXPECT_TRUE(layout[0].exclusive);
    EXPECT_EQ(layout[0].sockets.at(0), (Names{"0,8", "1,9", "2,10", "3,11"}));
    EXPECT_EQ(layout[0].sockets.at(1), Names{});
    EXPECT_EQ(layout[1].sockets.at(0), Names{});
    EXPECT_EQ(layout[1].sockets.at(1), Names{"4,12"});
    EXPECT_FALSE(layout[2].exclusive);
    EXPECT_EQ(layout[2].sockets.at(1), Names{"5,13,6,14,7,15"});
}

TEST(ConfdirLayout, FitsTheMachinesThatTheOriginalCouldNotName) {
    const Topology topology = test::make_uniform(1, 1, 1, 64, 2);
    const auto plan = plan_init(topology, lscpu_core_ids(topology), {}, {});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(make_layout(*plan, topology)[2].sockets.at(0), Names{"5-63,69-127"});
}

TEST(ConfdirPlan, CoreIdsAreThoseOfLscpu) {
    EXPECT_EQ(lscpu_core_ids(test::dual_socket_numa()), (CoreIds{0, 1, 2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(lscpu_core_ids(test::dual_socket_interleaved()), (CoreIds{0, 2, 4, 6, 1, 3, 5, 7}));
}

TEST(ConfdirPlan, WarnsOfWhatItIgnoresAndOfIsolatedSharedCores) {
    const Topology topology = test::make_uniform(1, 1, 1, 8, 2);
    const CoreIds ids = lscpu_core_ids(topology);
    const auto ignored = plan_init(topology, ids, {}, {.excl_non_isolcpus = "6"});
    ASSERT_TRUE(ignored) << ignored.error().message;
    ASSERT_EQ(ignored->warnings.size(), 1U);
    EXPECT_NE(ignored->warnings[0].find("is ignored"), std::string::npos);
    const auto isolated = plan_init(topology, ids, CpuSet::parse("0-4,8-12").value(), {});
    ASSERT_TRUE(isolated) << isolated.error().message;
    ASSERT_EQ(isolated->warnings.size(), 1U);
    EXPECT_NE(isolated->warnings[0].find("does not balance load"), std::string::npos);
}

TEST(ConfdirPlan, RefusesCoreIdsThatAreNone) {
    const Topology topology = test::make_uniform(1, 1, 1, 8, 2);
    const CpuSet isolated = CpuSet::parse("0-4,8-12").value();
    for (const std::string text : {"7-6", "6,", "6,x", "5-", "99999999999"}) {
        const auto plan =
            plan_init(topology, lscpu_core_ids(topology), isolated, {.excl_non_isolcpus = text});
        ASSERT_FALSE(plan) << text;
        const std::string piece(split(text, ',').back());
        EXPECT_EQ(plan.error().message, "Invalid core ID: " + piece);
    }
}

}  // namespace
}  // namespace cmk
