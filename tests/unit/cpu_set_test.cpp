// SPDX-License-Identifier: Apache-2.0
#include "core/cpu_set.h"

#include <gtest/gtest.h>

#include <random>

namespace cmk {
namespace {

struct ListCase {
    const char* input;
    const char* printed;
    const char* comma_list;
    const char* mask;
};

class CpuListForms : public ::testing::TestWithParam<ListCase> {};

TEST_P(CpuListForms, are_parsed_and_printed) {
    const ListCase& c = GetParam();
    const auto set = CpuSet::parse(c.input);
    ASSERT_TRUE(set) << set.error().message;
    EXPECT_EQ(set->to_cpulist(), c.printed);
    EXPECT_EQ(set->to_comma_list(), c.comma_list);
    EXPECT_EQ(set->to_mask(), c.mask);
    EXPECT_EQ(*CpuSet::parse(set->to_cpulist()), *set);
}

INSTANTIATE_TEST_SUITE_P(
    CpuSet, CpuListForms,
    ::testing::Values(ListCase{"", "", "", "0"}, ListCase{"\n", "", "", "0"},
                      ListCase{"0", "0", "0", "1"}, ListCase{"0\n", "0", "0", "1"},
                      ListCase{"0-1,4-6,9-10", "0-1,4-6,9-10", "0,1,4,5,6,9,10", "673"},
                      ListCase{"3,1,2,1-2", "1-3", "1,2,3", "e"}, ListCase{"5-5", "5", "5", "20"},
                      ListCase{"0-15:2/4", "0-1,4-5,8-9,12-13", "0,1,4,5,8,9,12,13", "3333"},
                      ListCase{"1-10:1/3", "1,4,7,10", "1,4,7,10", "492"},
                      ListCase{"0-3:4/4", "0-3", "0,1,2,3", "f"},
                      ListCase{"2,38,3,39", "2-3,38-39", "2,3,38,39", "c00000000c"},
                      ListCase{"64", "64", "64", "10000000000000000"}));

TEST(CpuSet, largest_id_is_accepted_and_printed) {
    const auto set = CpuSet::parse("8190-8191");
    ASSERT_TRUE(set);
    EXPECT_EQ(set->count(), 2U);
    EXPECT_EQ(set->to_cpulist(), "8190-8191");
}

struct BadListCase {
    const char* input;
    const char* named;  ///< piece and position in the message
};

class BadCpuLists : public ::testing::TestWithParam<BadListCase> {};

TEST_P(BadCpuLists, are_refused_naming_the_piece) {
    const auto set = CpuSet::parse(GetParam().input);
    ASSERT_FALSE(set) << set->to_cpulist();
    EXPECT_EQ(set.error().code, Errc::invalid_argument);
    EXPECT_NE(set.error().message.find(GetParam().named), std::string::npos) << set.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    CpuSet, BadCpuLists,
    ::testing::Values(
        BadListCase{",", "\"\" at character 1"}, BadListCase{"-", "\"-\" at character 1"},
        BadListCase{"0,", "\"\" at character 3"}, BadListCase{"0,-", "\"-\" at character 3"},
        BadListCase{"0,1-", "\"1-\" at character 3"}, BadListCase{"0,1-2,", "\"\" at character 7"},
        BadListCase{"3-1", "range runs backwards"}, BadListCase{"8192", "0 to 8191"},
        BadListCase{"99999999999999999999", "0 to 8191"}, BadListCase{"1 ,2", "\"1 \""},
        BadListCase{"+1", "\"+1\""}, BadListCase{"0x1", "\"0x1\""},
        BadListCase{"1-2-3", "\"1-2-3\""}, BadListCase{"1:1/2", "needs a range"},
        BadListCase{"0-7:0/2", "USED/GROUP"}, BadListCase{"0-7:3/2", "USED/GROUP"},
        BadListCase{"0-7:1", "USED/GROUP"}, BadListCase{"0-7:1/0", "USED/GROUP"},
        BadListCase{"0\n\n", "\"0\\x0a\""}, BadListCase{"all", "\"all\""}));

TEST(CpuSet, algebra_agrees_with_member_by_member_work) {
    std::mt19937 engine(7);
    const auto random = [&] { return static_cast<unsigned>(engine()); };
    for (int round = 0; round < 200; ++round) {
        CpuSet a;
        CpuSet b;
        const unsigned limit = 1 + random() % 300;
        for (int i = 0; i < 40; ++i) {
            a.add(random() % limit);
            b.add(random() % limit);
        }
        const CpuSet both = a & b;
        const CpuSet any = a | b;
        const CpuSet only_a = a - b;
        for (unsigned cpu = 0; cpu < 400; ++cpu) {
            ASSERT_EQ(both.contains(cpu), a.contains(cpu) && b.contains(cpu));
            ASSERT_EQ(any.contains(cpu), a.contains(cpu) || b.contains(cpu));
            ASSERT_EQ(only_a.contains(cpu), a.contains(cpu) && !b.contains(cpu));
        }
        EXPECT_EQ(a.intersects(b), !both.empty());
        EXPECT_TRUE(any.contains_all(a));
        EXPECT_EQ(only_a.contains_all(a), both.empty());
        EXPECT_EQ(any.count(), only_a.count() + b.count());
        EXPECT_EQ(any.lowest(), any.to_vector().front());
    }
}

TEST(CpuSet, sets_are_equal_however_they_came_about) {
    CpuSet grown{1, 2, 700};
    grown.remove(700);
    EXPECT_EQ(grown, (CpuSet{1, 2}));
    grown -= CpuSet(grown);
    EXPECT_EQ(grown, CpuSet{});
    EXPECT_TRUE(grown.empty());
    EXPECT_EQ(CpuSet::first(0), CpuSet{});
    EXPECT_EQ(CpuSet::first(3), (CpuSet{0, 1, 2}));
}

TEST(CpuSet, ids_beyond_the_largest_are_never_members) {
    CpuSet set{kMaxCpus, kMaxCpus + 1, ~0U};
    EXPECT_TRUE(set.empty());
    EXPECT_FALSE(set.contains(kMaxCpus));
    set.remove(kMaxCpus);
    EXPECT_TRUE(set.empty());
}

}  // namespace
}  // namespace cmk
