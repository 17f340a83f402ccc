// SPDX-License-Identifier: Apache-2.0
#include "cli/topology_text.h"

#include <gtest/gtest.h>
#include <hwloc.h>

#include <fstream>

#include "hw/topology_source.h"
#include "support/machines.h"

namespace cmk {
namespace {

/// The same machine, as hwloc writes it. `synthetic` "": the running one.
std::string export_xml(const std::string& synthetic) {
    hwloc_topology_t topology = nullptr;
    hwloc_topology_init(&topology);
    if (!synthetic.empty()) hwloc_topology_set_synthetic(topology, synthetic.c_str());
    hwloc_topology_set_components(topology, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
    hwloc_topology_set_flags(topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    hwloc_topology_load(topology);
    char* text = nullptr;
    int length = 0;
    EXPECT_EQ(hwloc_topology_export_xmlbuffer(topology, &text, &length, 0), 0);
    std::string xml = text == nullptr ? "" : text;
    hwloc_free_xmlbuffer(topology, text);
    hwloc_topology_destroy(topology);
    return xml;
}

std::string show(const Result<Topology>& topology) {
    if (!topology) return "error: " + topology.error().message;
    std::string out;
    for (const CpuRecord& each : topology->records()) {
        out += std::to_string(each.cpu) + " core " + std::to_string(each.core) + " package " +
               std::to_string(each.package) + " numa " + std::to_string(each.numa) + " llc " +
               std::to_string(each.llc) + " " + each.kind + "\n";
    }
    return out;
}

class SyntheticTopology : public ::testing::TestWithParam<const char*> {};

TEST_P(SyntheticTopology, IsWhatHwlocMakesOfIt) {
    const std::string expected = show(load_topology({.synthetic = GetParam()}));
    ASSERT_EQ(expected.find("error"), std::string::npos) << expected;
    EXPECT_EQ(show(parse_synthetic(GetParam())), expected);
    EXPECT_EQ(show(parse_hwloc_xml(export_xml(GetParam()))), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Machines, SyntheticTopology,
    ::testing::Values("pack:2 [numa] l3:1 core:4 pu:2", "core:4 pu:1", "pu:3",
                      "pack:1 numa:4 l3:2 core:2 pu:2",
                      "Package:2 NUMANode:2 L3Cache:1 Core:2 PU:1", "socket:2 core:2 pu:2",
                      "pack:2 die:2 [numa] l3:2 l2:1 l1d:1 core:2 pu:2",
                      "pack:2 [numa(memory=1GB)] l3:2(size=8MB) core:2 pu:1",
                      "group:2 pack:2 [numa] core:3 pu:1", "[numa] pack:2 l2:3 core:1 pu:2",
                      "pack:2 [numa] l3:2 [numa] core:2 pu:1", "numa:2 pack:1 l1:4 pu:2",
                      "pack:16 [numa] l3:4 core:8 pu:2"));

TEST(TopologyText, ReadsThisMachinesXml) {
    EXPECT_EQ(show(parse_hwloc_xml(export_xml(""))), show(load_topology({})));
}

TEST(TopologyText, ReadsKindsOfCpus) {
    const auto hybrid = parse_hwloc_xml(
        "<topology version=\"2.0\"><object type=\"Machine\" os_index=\"0\">"
        "<object type=\"PU\" os_index=\"0\"/><object type=\"PU\" os_index=\"33\"/></object>"
        "<cpukind cpuset=\"0x00000001\"><info name=\"CoreType\" value=\"IntelCore\"/></cpukind>"
        "<!-- <object> > --><cpukind cpuset=\"0x00000002,,\"/>"
        "<cpukind cpuset=\"0x00000002,0x0\"/></topology>");
    EXPECT_EQ(show(hybrid),
              "0 core 0 package 0 numa 0 llc 0 IntelCore\n"
              "33 core 1 package 0 numa 0 llc 0 kind2\n");
}

TEST(TopologyText, ReadsLscpu) {
    EXPECT_EQ(show(parse_lscpu("# comment\n# CPU,Core,Socket,Node,,L1d,L1i,L2,L3\n"
                               "0,0,0,0,,0,0,0,0\n2,1,1,1,,1,1,1,1\n")),
              "0 core 0 package 0 numa 0 llc 0 \n2 core 1 package 1 numa 1 llc 1 \n");
    EXPECT_EQ(show(parse_lscpu("# CPU,Core,Socket,Node\n0,0,0,\n1,1,2,\n")),
              "0 core 0 package 0 numa 0 llc 0 \n1 core 1 package 2 numa 0 llc 2 \n");
}

TEST(TopologyText, SaysWhatIsWrong) {
    const auto wrong = [](const Result<Topology>& result, const char* part) {
        const std::string text = show(result);
        EXPECT_NE(text.find("error: "), std::string::npos) << text;
        EXPECT_NE(text.find(part), std::string::npos) << text;
    };
    wrong(parse_synthetic("pack:2 core"), "\"core\": expected a type and a count");
    wrong(parse_synthetic("pack:0 pu:1"), "expected a count from 1 to 8192");
    wrong(parse_synthetic("thing:1 pu:1"), "expected one of machine");
    wrong(parse_synthetic("pack:2 core:2"), "the last level has to be pu");
    wrong(parse_synthetic(""), "the last level has to be pu");
    wrong(parse_synthetic("core:128 pu:128"), "more than 8192");
    wrong(parse_synthetic("core:2 core:2 pu:2"), "it is there twice");
    wrong(parse_synthetic("core:2 pu:2(indexes=0,1"), "a ) is missing");
    wrong(parse_synthetic("core:2 pu:2(indexes=core:pu)"), "indexes=");
    wrong(parse_hwloc_xml("<topology><object type=\"PU\" os_index=\"0\"/>"), "its version is");
    wrong(parse_hwloc_xml("<html></html>"), "no <topology>");
    wrong(parse_hwloc_xml("<topology version=\"2.0\"><object type=\"Core\">"), "does not end");
    wrong(parse_hwloc_xml("<topology version=\"2.0\"></object>"), "did not begin");
    wrong(parse_hwloc_xml("<topology version=\"2.0\"><object type=\"PU\"/>"), "without a number");
    wrong(parse_hwloc_xml("<topology version=\"2.0\"><object type=\"PU"), "a tag does not end");
    wrong(parse_hwloc_xml("<topology version=\"2.0\"></topology>"), "has no CPU");
    wrong(parse_lscpu("# CPU,Core,Socket\n0,x,0\n"), "line 2: no CPU, core and socket");
    wrong(parse_lscpu("0,0,0\n"), "line 1: no line names the columns");
}

TEST(TopologyText, TellsTheFormsApart) {
    const std::string path = ::testing::TempDir() + "cmk-topology-" + std::to_string(::getpid());
    const auto read = [&](const std::string& text) {
        std::ofstream(path) << text;
        return show(read_topology(path));
    };
    const std::string expected = show(parse_synthetic("pack:2 core:1 pu:2"));
    EXPECT_EQ(read("pack:2 core:1 pu:2\n"), expected);
    EXPECT_EQ(read(export_xml("pack:2 core:1 pu:2")), expected);
    EXPECT_NE(read("# CPU,Core,Socket\n4,0,0\n").find("4 core 0"), std::string::npos);
    std::remove(path.c_str());
    EXPECT_EQ(show(read_topology("pack:2 core:1 pu:2")), expected);
    EXPECT_NE(show(read_topology(path)).find("No such file"), std::string::npos);
}

}  // namespace
}  // namespace cmk
