// SPDX-License-Identifier: Apache-2.0
#include "cli/drawing.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "cli/markup.h"
#include "support/machines.h"

namespace cmk {
namespace {

using testing::MachineShape;
using testing::make_lease;
using testing::make_machine;
using testing::make_pool;

Machine make_drawn(const MachineShape& shape) {
    Machine machine;
    machine.host.topology = make_machine(shape);
    machine.host.mechanism = "cgroup v2 partition";
    return machine;
}

Machine two_sockets() {
    Machine machine = make_drawn({.packages = 2, .cores = 4, .siblings = 2});
    machine.pools = {make_pool("exclusive", PoolKind::exclusive, "0-3,8-11", 4),
                     make_pool("shared", PoolKind::shared, "4,12", 1)};
    machine.leases = {make_lease("aa11", "exclusive", "0,8", 42, "nginx")};
    machine.pools[0].free = testing::cpus("1-3,9-11");
    machine.pools[0].free_cores = 3;
    return machine;
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(Drawing, EscapesText) {
    EXPECT_EQ(escape_xml("<a href=\"x\">&'\x1b\x01"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;??");
    EXPECT_EQ(escape_xml("one\ntwo"), "one\ntwo");
    EXPECT_EQ(escape_xml("\xff\xef\xbf\xbf"), "??");
}

TEST(Drawing, HoverTextSaysWhereACoreIsAndWhoHasIt) {
    const std::string svg = draw_svg(two_sockets());
    EXPECT_TRUE(has(svg,
                    "<title>core 0: CPUs 0,8; socket 0, NUMA node 0, LLC 0\n"
                    "pool exclusive (exclusive)\n"
                    "lease aa11, grade C, nginx, pid 42, user 0</title>"))
        << svg;
    EXPECT_TRUE(has(svg,
                    "core 1: CPUs 1,9; socket 0, NUMA node 0, LLC 0\n"
                    "pool exclusive (exclusive)\nno lease</title>"));
    EXPECT_TRUE(has(svg, "core 7: CPUs 7,15; socket 1, NUMA node 1, LLC 1\nin no pool</title>"));
}

TEST(Drawing, ClaimsNothingOfLeasesThatAreOnlyPlanned) {
    Machine machine = two_sockets();
    machine.leases[0].status = LeaseStatus::intent;
    const std::string svg = draw_svg(machine);
    EXPECT_TRUE(has(svg, "\nlease aa11</title>")) << svg;
    EXPECT_FALSE(has(svg, "grade"));
    EXPECT_TRUE(has(draw_html(machine), "<td>0,8</td>\n    <td>-</td>\n    <td>-</td>"));
}

TEST(Drawing, SaysThatALeaseIsHidden) {
    Machine machine = two_sockets();
    machine.leases.clear();
    EXPECT_TRUE(has(draw_svg(machine), "leased by somebody whom you may not see</title>"));
}

TEST(Drawing, ACommandForgesNoHoverLineAndNoMarkup) {
    Machine machine = two_sockets();
    machine.leases[0].owner.command = "a</title>\nlease x";
    const std::string svg = draw_svg(machine);
    EXPECT_TRUE(has(svg, "a&lt;/title&gt;?lease x")) << svg;
    EXPECT_FALSE(has(svg, "a</title>"));
}

TEST(Drawing, MarksTellWhatColoursTell) {
    const std::string svg = draw_svg(two_sockets());
    const auto marks = [&](const char* mark) {
        return count_of(svg, std::string("font-weight=\"bold\">") + mark + "</text>");
    };
    EXPECT_EQ(marks("a"), 2U);  // the core and the legend
    EXPECT_EQ(marks("E"), 4U);
    EXPECT_EQ(marks("S"), 2U);
    EXPECT_EQ(marks("."), 4U);
    // In grey, too: leases have thick lines, cores of no pool broken ones.
    EXPECT_EQ(count_of(svg, "stroke-width=\"2.5\""), 2U);
    EXPECT_EQ(count_of(svg, "stroke-dasharray"), 4U);
}

TEST(Drawing, LegendNamesPoolsAndLeases) {
    const std::string svg = draw_svg(two_sockets());
    EXPECT_TRUE(has(svg, ">exclusive: exclusive pool, 4 cores, 3 free, CPUs 0-3,8-11</text>"));
    EXPECT_TRUE(has(svg, ">shared: shared pool, 1 core, CPUs 4,12</text>"));
    EXPECT_TRUE(has(svg, ">in no pool</text>"));
    EXPECT_TRUE(has(svg, ">lease aa11: pool exclusive, CPUs 0,8, grade C, nginx, pid 42, user 0<"));
}

TEST(Drawing, LeasedCoresLookUnlikeFreeOnes) {
    const std::string svg = draw_svg(two_sockets());
    std::set<std::string> fills;
    const std::regex tenant("class=\"tenant\"[^>]* fill=\"(#[0-9a-f]{6})\"");
    for (auto at = std::sregex_iterator(svg.begin(), svg.end(), tenant);
         at != std::sregex_iterator(); ++at)
        fills.insert((*at)[1]);
    EXPECT_EQ(fills.size(), 4U);  // leased, free, shared, in no pool
}

TEST(Drawing, NeedsNothingFromElsewhere) {
    for (const char* format : {"svg", "html"}) {
        const std::string text = draw(two_sockets(), format);
        for (const char* part : {"<script", "href", "url(", "src=", "@import", "onload"})
            EXPECT_FALSE(has(text, part)) << format << ": " << part;
        EXPECT_EQ(count_of(text, "http"), count_of(text, "http://www.w3.org/")) << format;
    }
}

TEST(Drawing, SameMachineSameBytes) {
    EXPECT_EQ(draw_svg(two_sockets()), draw_svg(two_sockets()));
    EXPECT_EQ(draw_html(two_sockets()), draw_html(two_sockets()));
}

TEST(Drawing, PageHasThePictureAndTheTables) {
    Machine machine = two_sockets();
    machine.host.problems = {"CPUs 3 & 4 are lost"};
    const std::string page = draw_html(machine);
    EXPECT_EQ(page.rfind("<!DOCTYPE html>\n<html ", 0), 0U);
    EXPECT_TRUE(has(page, draw_svg(machine)));
    EXPECT_TRUE(has(page, "<td>aa11</td>"));
    EXPECT_TRUE(has(page, "<td>1970-01-01T00:16:40Z</td>"));
    EXPECT_TRUE(has(page, "Problem: CPUs 3 &amp; 4 are lost"));
    EXPECT_TRUE(has(page, "@media print"));
    machine.leases.clear();
    EXPECT_TRUE(has(draw_html(machine), "No leases."));
}

class DrawingProperties : public ::testing::TestWithParam<MachineShape> {};

TEST_P(DrawingProperties, EveryCpuAndCoreOnceInsideTheFrame) {
    const Machine machine = make_drawn(GetParam());
    const std::string svg = draw_svg(machine);
    EXPECT_EQ(count_of(svg, "class=\"core\""), machine.host.topology.cores().size());
    EXPECT_EQ(count_of(svg, "class=\"cpu\""), machine.host.topology.records().size());
    EXPECT_EQ(count_of(svg, "class=\"socket\""), machine.host.topology.packages().size());
    for (const CpuRecord& record : machine.host.topology.records())
        EXPECT_EQ(count_of(svg, ">" + std::to_string(record.cpu) + "</text>"), 1U);
    std::smatch size;
    ASSERT_TRUE(std::regex_search(svg, size, std::regex("viewBox=\"0 0 (\\d+) (\\d+)\"")));
    const std::regex box("x=\"(\\d+)\" y=\"(\\d+)\" width=\"(\\d+)\" height=\"(\\d+)\"");
    for (auto at = std::sregex_iterator(svg.begin(), svg.end(), box); at != std::sregex_iterator();
         ++at) {
        EXPECT_LE(std::stoul((*at)[1]) + std::stoul((*at)[3]), std::stoul(size[1]));
        EXPECT_LE(std::stoul((*at)[2]) + std::stoul((*at)[4]), std::stoul(size[2]));
    }
}

INSTANTIATE_TEST_SUITE_P(Machines, DrawingProperties,
                         ::testing::Values(MachineShape{1, 1, 1, 1, 1}, MachineShape{2, 1, 1, 4, 2},
                                           MachineShape{1, 4, 2, 8, 2}, MachineShape{1, 1, 1, 7, 8},
                                           MachineShape{4, 2, 2, 16, 2}));

TEST(Drawing, DrawsAMachineWithoutCores) {
    EXPECT_TRUE(has(draw_svg(Machine{}), "</svg>"));
}

}  // namespace
}  // namespace cmk
