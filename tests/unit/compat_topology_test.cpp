// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "confdir/core_ids.h"
#include "confdir/sysfs_topology.h"
#include "support/skip.h"

namespace cmk::compat {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A CPU as the original's recordings have it.
struct Row {
    unsigned cpu;
    int core;
    int package;
};

/// A sysfs tree made by hand.
class CompatTopology : public ::testing::Test {
protected:
    CompatTopology() {
        char name[] = "/tmp/cmk-sysfs-XXXXXX";
        root_ = ::mkdtemp(name);
        fs::create_directories(cpu_root());
    }
    ~CompatTopology() override { fs::remove_all(root_); }

    std::string cpu_root() const { return root_ + "/sys/devices/system/cpu"; }

    void write(const std::string& path, const std::string& text) {
        const fs::path file = cpu_root() + "/" + path;
        fs::create_directories(file.parent_path());
        std::ofstream(file) << text << "\n";
    }

    void add(const Row& row) {
        const std::string directory = "cpu" + std::to_string(row.cpu) + "/topology/";
        write(directory + "core_id", std::to_string(row.core));
        write(directory + "physical_package_id", std::to_string(row.package));
    }

    void add_machine(const std::vector<Row>& rows) {
        CpuSet online;
        for (const Row& row : rows) {
            add(row);
            online.add(row.cpu);
        }
        write("online", online.to_cpulist());
    }

    Topology load() {
        auto topology = load_sysfs_topology(root_);
        EXPECT_TRUE(topology) << topology.error().message;
        return topology ? *std::move(topology) : Topology();
    }

    /// "socket: core id (CPUs) ...", a line each.
    std::string shape() {
        const Topology topology = load();
        std::string out;
        for (const unsigned package : topology.packages()) {
            out += std::to_string(package) + ":";
            for (const Core& core : topology.cores()) {
                if (core.package != package) continue;
                out += " " + std::to_string(lscpu_core_ids(topology).at(core.index)) + "(" +
                       core.cpus.to_comma_list() + ")";
            }
            out += "\n";
        }
        return out;
    }

    std::string error() {
        const auto topology = load_sysfs_topology(root_);
        EXPECT_FALSE(topology);
        return topology ? "" : topology.error().message;
    }

    std::string root_;
};

std::vector<Row> rows_of(const json& recorded) {
    std::vector<Row> rows;
    for (const json& line : recorded) {
        const std::string text = line.get<std::string>();
        const auto fields = split(text, ',');
        rows.push_back({static_cast<unsigned>(parse_unsigned(fields[0]).value()),
                        static_cast<int>(parse_unsigned(fields[1]).value()),
                        static_cast<int>(parse_unsigned(fields[2]).value())});
    }
    return rows;
}

/// The original's cores: by socket, in the order of their first CPU.
std::vector<std::pair<unsigned, std::string>> expected_cores(const std::vector<Row>& rows) {
    std::map<int, std::vector<int>> order;
    std::map<std::pair<int, int>, CpuSet> cores;
    for (const Row& row : rows) {
        CpuSet& cpus = cores[{row.package, row.core}];
        if (cpus.empty()) order[row.package].push_back(row.core);
        cpus.add(row.cpu);
    }
    std::vector<std::pair<unsigned, std::string>> expected;
    for (const auto& [package, ids] : order) {
        for (const int id : ids) {
            expected.emplace_back(static_cast<unsigned>(package),
                                  cores[{package, id}].to_comma_list());
        }
    }
    return expected;
}

TEST_F(CompatTopology, ReadsEveryRecordedMachine) {
    std::ifstream file(CMK_TEST_DATA "/cmk-golden-init.json");
    const json machines = json::parse(file)["topologies"];
    EXPECT_GE(machines.size(), 15U);
    for (const auto& [name, recorded] : machines.items()) {
        fs::remove_all(cpu_root());
        const std::vector<Row> rows = rows_of(recorded);
        add_machine(rows);
        std::vector<std::pair<unsigned, std::string>> cores;
        std::set<unsigned> ids;
        const Topology topology = load();
        for (const Core& core : topology.cores()) {
            cores.emplace_back(core.package, core.cpus.to_comma_list());
            ids.insert(lscpu_core_ids(topology).at(core.index));
        }
        EXPECT_EQ(cores, expected_cores(rows)) << name;
        EXPECT_EQ(ids.size(), cores.size()) << name;
        EXPECT_EQ(*ids.rbegin(), cores.size() - 1) << name;
    }
}

TEST_F(CompatTopology, CoresAreNumberedOverTheMachineByFirstAppearance) {
    add_machine({{0, 4, 0}, {1, 4, 1}, {2, 0, 0}, {3, 0, 1}, {4, 4, 0}, {5, 4, 1}});
    EXPECT_EQ(shape(), "0: 0(0,4) 2(2)\n1: 1(1,5) 3(3)\n");
}

TEST_F(CompatTopology, SocketsAscendAndHaveNoGaps) {
    add_machine({{0, 0, 6}, {1, 0, 2}, {2, 0, 4}});
    EXPECT_EQ(shape(), "0: 1(1)\n1: 2(2)\n2: 0(0)\n");
    fs::remove_all(cpu_root());
    add_machine({{0, 0, -1}, {1, 1, -1}});
    EXPECT_EQ(shape(), "0: 0(0) 1(1)\n");
}

TEST_F(CompatTopology, OfflineCpusDoNotExist) {
    add_machine({{0, 0, 0}, {1, 1, 0}, {2, 0, 0}, {3, 1, 0}});
    write("online", "0-2");
    EXPECT_EQ(shape(), "0: 0(0,2) 1(1)\n");
    // Linux takes the directory away with the CPU.
    fs::remove_all(cpu_root() + "/cpu3");
    write("present", "0-3");
    EXPECT_EQ(shape(), "0: 0(0,2) 1(1)\n");
    write("online", "2");
    EXPECT_EQ(shape(), "0: 0(2)\n");
}

TEST_F(CompatTopology, IdsMayHaveHoles) {
    add_machine({{0, 0, 0}, {7, 3, 0}, {64, 0, 0}, {1000, 99, 3}});
    EXPECT_EQ(shape(), "0: 0(0,64) 1(7)\n1: 2(1000)\n");
}

TEST_F(CompatTopology, CoreIdsMayRepeatInDiesAndClusters) {
    add_machine({{0, 0, 0}, {1, 0, 0}, {2, 0, 0}});
    write("cpu0/topology/die_id", "0");
    write("cpu1/topology/die_id", "1");
    write("cpu2/topology/die_id", "1");
    EXPECT_EQ(shape(), "0: 0(0) 1(1,2)\n");
    write("cpu0/topology/cluster_id", "-1");
    write("cpu1/topology/cluster_id", "8");
    write("cpu2/topology/cluster_id", "9");
    EXPECT_EQ(shape(), "0: 0(0) 1(1) 2(2)\n");
}

TEST_F(CompatTopology, WithoutOnlineAllThatArePresentAre) {
    add_machine({{0, 0, 0}, {1, 1, 0}});
    fs::rename(cpu_root() + "/online", cpu_root() + "/present");
    EXPECT_EQ(shape(), "0: 0(0) 1(1)\n");
}

TEST_F(CompatTopology, WhatIsMissingIsNamed) {
    const std::string start = "cannot read the machine's topology: ";
    EXPECT_EQ(error(), start + "cannot open " + cpu_root() + "/online: No such file or directory");
    write("online", "0");
    EXPECT_EQ(error(), start + "cannot open " + cpu_root() +
                           "/cpu0/topology/physical_package_id: No such file or directory");
    write("cpu0/topology/physical_package_id", "0");
    EXPECT_EQ(error(), start + "cannot open " + cpu_root() +
                           "/cpu0/topology/core_id: No such file or directory");
}

TEST_F(CompatTopology, JunkIsRefused) {
    add_machine({{0, 0, 0}, {1, 1, 0}});
    for (const char* junk : {"", "x", "1x", "-2", "1 2", "99999999999999999999", "-1"}) {
        write("cpu1/topology/core_id", junk);
        EXPECT_NE(error().find("/cpu1/topology/core_id: "), std::string::npos) << junk;
    }
    write("cpu1/topology/core_id", "1");
    for (const char* junk : {"0-", "a", "1-0", "0,,1"}) {
        write("online", junk);
        EXPECT_NE(error().find("/online: "), std::string::npos) << junk;
    }
    write("online", "");
    EXPECT_EQ(error(), "the topology has no CPU");
}

TEST(CompatRealTopology, ThisMachineHasOne) {
    const auto topology = load_sysfs_topology("");
    if (!topology) CMK_SKIP("sysfs", topology.error().message);
    EXPECT_FALSE(topology->cpus().empty());
}

}  // namespace
}  // namespace cmk::compat
