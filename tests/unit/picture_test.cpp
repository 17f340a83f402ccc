// SPDX-License-Identifier: Apache-2.0
#include "cli/picture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "cli/display_text.h"
#include "support/machines.h"

namespace cmk {
namespace {

using testing::cpus;
using testing::MachineShape;
using testing::make_lease;
using testing::make_machine;
using testing::make_pool;

OutputStyle style_of(unsigned width, bool unicode, bool color = false) {
    OutputStyle style;
    style.width = width;
    style.unicode = unicode;
    style.color = color;
    return style;
}

/// How often each number stands in the picture, titles left out.
std::map<unsigned, unsigned> count_ids(const std::string& picture) {
    std::map<unsigned, unsigned> seen;
    for (const std::string_view line : split(picture, '\n')) {
        std::string word;
        if (line.find("socket") != std::string_view::npos) continue;
        if (line.find("NUMA") != std::string_view::npos) continue;
        if (line.find("LLC") != std::string_view::npos) continue;
        for (const char c : std::string(line) + " ") {
            if (c != ' ') {
                word += c;
                continue;
            }
            if (const auto id = parse_unsigned(word)) ++seen[static_cast<unsigned>(*id)];
            word.clear();
        }
    }
    return seen;
}

TEST(Picture, DrawsTwoSocketsSideBySide) {
    const Tenants tenants({make_pool("exclusive", PoolKind::exclusive, "0-4,8-12", 5),
                           make_pool("shared", PoolKind::shared, "5,13", 1),
                           make_pool("infra", PoolKind::shared, "6-7,14-15", 2)},
                          {make_lease("22", "exclusive", "2,10", 8, "make"),
                           make_lease("11", "exclusive", "0-1,8-9", 7, "nginx")});
    const Topology machine = make_machine({.packages = 2, .cores = 4, .siblings = 2});
    EXPECT_EQ(draw_machine(machine, tenants, style_of(80, true)),
              "┌─ socket 0 · NUMA 0 · LLC 0 ─┐ ┌─ socket 1 · NUMA 1 · LLC 1 ─┐\n"
              "│   0     1     2     3       │ │   4     5     6     7       │\n"
              "│   8     9    10    11       │ │  12    13    14    15       │\n"
              "│ ┗━━━ a ━━━┛ ┗━b━┛ ╰─E─╯     │ │ ╰─E─╯ ╰─S─╯ ╰─ infra ─╯     │\n"
              "└─────────────────────────────┘ └─────────────────────────────┘\n");
    EXPECT_EQ(draw_machine(machine, tenants, style_of(80, false)),
              "+- socket 0, NUMA 0, LLC 0 -+ +- socket 1, NUMA 1, LLC 1 -+\n"
              "|   0     1     2     3     | |   4     5     6     7     |\n"
              "|   8     9    10    11     | |  12    13    14    15     |\n"
              "| [=== a ===] [=b=] [-E-]   | | [-E-] [-S-] [- infra -]   |\n"
              "+---------------------------+ +---------------------------+\n");
}

TEST(Picture, DrawsTwoCpusWithoutPools) {
    const Tenants tenants({}, {});
    EXPECT_EQ(draw_machine(make_machine({.cores = 2}), tenants, style_of(80, false)),
              "+- socket 0, NUMA 0, LLC 0 -+\n"
              "|   0     1                 |\n"
              "|   .     .                 |\n"
              "+---------------------------+\n");
}

TEST(Picture, PrivateCachesGroupNothing) {
    const Tenants tenants({}, {});
    EXPECT_EQ(draw_machine(make_machine({.llcs = 4, .cores = 1}), tenants, style_of(80, false)),
              "+- socket 0, NUMA 0 ------+\n"
              "|   0     1     2     3   |\n"
              "|   .     .     .     .   |\n"
              "+-------------------------+\n");
}

TEST(Picture, NamesKindsOfHybridMachines) {
    const Topology hybrid = Topology::from_records({{0, 0, 0, 0, 0, "IntelCore"},
                                                    {1, 0, 0, 0, 0, "IntelCore"},
                                                    {2, 1, 0, 0, 0, "IntelAtom"}})
                                .value();
    const std::string picture = draw_machine(hybrid, Tenants({}, {}), style_of(80, false));
    EXPECT_NE(picture.find("IntelCore"), std::string::npos);
    EXPECT_NE(picture.find("IntelAtom"), std::string::npos);
    EXPECT_EQ(count_ids(picture).size(), 3U);
}

TEST(Picture, LabelsRunsWithWhatFits) {
    const Topology machine = make_machine({.cores = 8});
    const Tenants tenants({make_pool("exclusive", PoolKind::exclusive, "0-7", 8)},
                          {make_lease("1", "exclusive", "0-3", 7, "evil\x1b[31m")});
    const std::string picture = draw_machine(machine, tenants, style_of(80, false));
    EXPECT_NE(picture.find("a: evil?[31m"), std::string::npos) << picture;
    EXPECT_NE(picture.find("exclusive: free"), std::string::npos) << picture;
}

TEST(Picture, MarksMoreLeasesThanLetters) {
    std::vector<Lease> leases;
    for (unsigned cpu = 0; cpu < 30; ++cpu) {
        leases.push_back(make_lease(std::to_string(100 + cpu).c_str(), "exclusive",
                                    std::to_string(cpu).c_str(), 1, ""));
    }
    const Tenants tenants({make_pool("exclusive", PoolKind::exclusive, "0-29", 30)}, leases);
    EXPECT_EQ(tenants.of_lease(leases[0]).mark, "aa");
    EXPECT_EQ(tenants.of_lease(leases[29]).mark, "bd");
    const std::string picture =
        draw_machine(make_machine({.cores = 30}), tenants, style_of(80, false));
    EXPECT_NE(picture.find("bd"), std::string::npos);
}

TEST(Picture, PoolsWithOneInitialGetDifferentMarks) {
    const Tenants tenants(
        {make_pool("shared", PoolKind::shared, "0", 1),
         make_pool("system", PoolKind::shared, "1", 1), make_pool("sys", PoolKind::shared, "2", 1)},
        {});
    EXPECT_EQ(tenants.of_pool("shared").mark, "S");
    EXPECT_EQ(tenants.of_pool("system").mark, "Y");
    EXPECT_EQ(tenants.of_pool("sys").mark, "A");
}

class PictureProperties : public ::testing::TestWithParam<MachineShape> {};

TEST_P(PictureProperties, EveryCpuOnceAndNoLineTooWide) {
    const Topology machine = make_machine(GetParam());
    const std::string all = machine.cpus().to_cpulist();
    const std::string some = machine.cores().front().cpus.to_cpulist();
    const Tenants tenants({make_pool("exclusive", PoolKind::exclusive, all.c_str(), 1)},
                          {make_lease("1", "exclusive", some.c_str(), 7, "a-long-command")});
    for (const unsigned width : {40U, 80U, 120U, 200U, 1000U}) {
        for (const bool unicode : {false, true}) {
            const std::string picture = draw_machine(machine, tenants, style_of(width, unicode));
            EXPECT_EQ(picture.find('\x1b'), std::string::npos);
            for (const std::string_view line : split(picture, '\n'))
                EXPECT_LE(columns_of(line), width) << line;
            const auto seen = count_ids(picture);
            EXPECT_EQ(seen.size(), machine.records().size()) << picture;
            EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [&](const auto& each) {
                return each.second == 1 && machine.cpus().contains(each.first);
            })) << picture;
        }
    }
}

TEST_P(PictureProperties, ColourChangesNoText) {
    const Topology machine = make_machine(GetParam());
    const Tenants tenants({make_pool("shared", PoolKind::shared, "0", 1)}, {});
    std::string plain;
    bool in_escape = false;
    for (const char c : draw_machine(machine, tenants, style_of(80, true, true))) {
        if (c == '\x1b') in_escape = true;
        if (!in_escape) plain += c;
        if (c == 'm') in_escape = false;
    }
    const auto count_lines = [](const std::string& text) {
        return std::count(text.begin(), text.end(), '\n');
    };
    const std::string expected = draw_machine(machine, tenants, style_of(80, true));
    EXPECT_EQ(count_lines(plain), count_lines(expected));
    EXPECT_NE(plain.find("socket 0"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Machines, PictureProperties,
                         ::testing::Values(MachineShape{1, 1, 1, 1, 1}, MachineShape{1, 1, 1, 1, 2},
                                           MachineShape{1, 1, 1, 8, 1}, MachineShape{2, 1, 1, 4, 2},
                                           MachineShape{1, 1, 1, 64, 1},
                                           MachineShape{2, 1, 1, 28, 2},
                                           MachineShape{1, 4, 2, 8, 2}, MachineShape{2, 1, 8, 8, 2},
                                           MachineShape{1, 1, 1, 7, 8},
                                           MachineShape{4, 2, 1, 13, 1},
                                           MachineShape{8, 4, 4, 16, 2}));

}  // namespace
}  // namespace cmk
