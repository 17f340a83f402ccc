// SPDX-License-Identifier: Apache-2.0
// What the original's `init` (1.3.1) chose on recorded machines, against plan_pools().
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/text.h"
#include "core/pool_planner.h"

namespace cmk {
namespace {

using nlohmann::json;
using CpuLists = std::set<std::string>;

/// CPU lists per pool; an exclusive pool has one a core.
struct Outcome {
    bool success = false;
    CpuLists exclusive = {};
    std::string shared = {};
    std::string infra = {};

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
    if (!outcome.success) return out << "failure";
    for (const std::string& list : outcome.exclusive)
        out << "[" << list << "]";
    return out << " shared " << outcome.shared << " infra " << outcome.infra;
}

struct Difference {
    const char* reason;
    Outcome ours;
};

const Outcome kFailure{};

/// By the row's number among the recorded 1.3.1 cases.
const std::map<int, Difference>& differences() {
    static const std::map<int, Difference> kDifferences{
        {22,
         {"a count of 0 needs no free core (as the original since 1.5)",
          {true, {"0,8"}, "", "1-7,9-15"}}},
        {26,
         {"a count of 0 needs no free core (as the original since 1.5)",
          {true, {"0,8", "1,9", "2,10", "3,11", "4,12"}, "", "5-7,13-15"}}},
        {31,
         {"isolcpus= flags are accepted",
          {true, {"0,8", "1,9", "2,10", "3,11"}, "4,12", "5-7,13-15"}}},
        {32,
         {"isolcpus= flags are accepted",
          {true, {"0,8", "1,9", "2,10", "3,11"}, "4,12", "5-7,13-15"}}},
        {33,
         {"an empty isolcpus= isolates nothing",
          {true, {"0,8", "1,9", "2,10", "3,11"}, "4,12", "5-7,13-15"}}},
        {34, {"a malformed isolcpus= is an error, never ignored", kFailure}},
        {85, {"packages in ascending order", {true, {"2", "3"}, "0", "1"}}},
        {86, {"packages in ascending order", {true, {"0", "2"}, "3", "1"}}},
    };
    return kDifferences;
}

Topology parse_topology(const json& rows) {
    std::vector<CpuRecord> records;
    for (const json& row : rows) {
        const std::string text = row.get<std::string>();
        const auto fields = split(text, ',');
        const auto cpu = static_cast<unsigned>(parse_unsigned(fields[0]).value());
        const auto core = static_cast<unsigned>(parse_unsigned(fields[1]).value());
        const auto package = static_cast<unsigned>(parse_unsigned(fields[2]).value());
        // Some machines count cores anew on every package.
        records.push_back({.cpu = cpu,
                           .core = package * 1000 + core,
                           .package = package,
                           .numa = package,
                           .llc = package});
    }
    return Topology::from_records(std::move(records)).value();
}

/// The value of "--NAME=VALUE".
std::string option(const json& args, const std::string& name, const std::string& fallback) {
    const std::string prefix = "--" + name + "=";
    for (const json& arg : args) {
        const std::string text = arg.get<std::string>();
        if (text.compare(0, prefix.size(), prefix) == 0) return text.substr(prefix.size());
    }
    return fallback;
}

/// Nothing where a count is no number: that is refused before planning.
std::optional<std::vector<PoolSpec>> parse_specs(const json& args) {
    const auto exclusive = parse_unsigned(option(args, "num-exclusive-cores", "4"), kMaxCpus);
    const auto shared = parse_unsigned(option(args, "num-shared-cores", "1"), kMaxCpus);
    if (!exclusive || !shared) return std::nullopt;
    const auto mode = [&](const std::string& name) {
        return pool_mode_from(option(args, name, "packed")).value_or(PoolMode::packed);
    };
    return std::vector<PoolSpec>{{.name = "exclusive",
                                  .kind = PoolKind::exclusive,
                                  .size = static_cast<unsigned>(*exclusive),
                                  .mode = mode("exclusive-mode")},
                                 {.name = "shared",
                                  .kind = PoolKind::shared,
                                  .size = static_cast<unsigned>(*shared),
                                  .mode = mode("shared-mode")},
                                 {.name = "infra", .kind = PoolKind::shared}};
}

Outcome plan_case(const Topology& topology, const json& recorded) {
    const auto specs = parse_specs(recorded["args"]);
    const auto isolated =
        parse_isolcpus(recorded["cmdline"].get<std::string>(), topology.records().back().cpu);
    if (!specs || !isolated) return kFailure;
    const auto plan = plan_pools(topology, *isolated, *specs);
    if (!plan) {
        EXPECT_EQ(plan.error().code, Errc::not_enough_cpus) << plan.error().message;
        return kFailure;
    }
    Outcome outcome{.success = true};
    for (const Core* core : topology.cores_within(plan->pools[0].cpus))
        outcome.exclusive.insert(core->cpus.to_cpulist());
    outcome.shared = plan->pools[1].cpus.to_cpulist();
    outcome.infra = plan->pools[2].cpus.to_cpulist();
    return outcome;
}

std::string union_of(const json& sockets) {
    CpuSet cpus;
    for (const json& lists : sockets) {
        for (const json& list : lists)
            cpus |= CpuSet::parse(list.get<std::string>()).value();
    }
    return cpus.to_cpulist();
}

Outcome recorded_outcome(const json& recorded) {
    if (recorded["rc"] != 0) return kFailure;
    Outcome outcome{.success = true};
    for (const json& lists : recorded["pools"]["exclusive"]) {
        for (const json& list : lists)
            outcome.exclusive.insert(CpuSet::parse(list.get<std::string>()).value().to_cpulist());
    }
    outcome.shared = union_of(recorded["pools"]["shared"]);
    outcome.infra = union_of(recorded["pools"]["infra"]);
    return outcome;
}

TEST(GoldenInit, chooses_what_the_original_chose_but_for_the_listed_differences) {
    std::ifstream file(CMK_TEST_DATA "/cmk-golden-init.json");
    ASSERT_TRUE(file) << "cannot read " CMK_TEST_DATA "/cmk-golden-init.json";
    const json data = json::parse(file);
    int row = 0;
    for (const json& recorded : data["cases"]) {
        if (recorded["version"] != "1.3.1") continue;
        ++row;
        const Topology topology =
            parse_topology(data["topologies"][recorded["topology"].get<std::string>()]);
        const Outcome ours = plan_case(topology, recorded);
        const Outcome theirs = recorded_outcome(recorded);
        const auto difference = differences().find(row);
        const std::string label = "case " + std::to_string(row) + " " + recorded["args"].dump() +
                                  " " + recorded["cmdline"].dump();
        if (difference == differences().end()) {
            EXPECT_EQ(ours, theirs) << label;
        } else {
            EXPECT_EQ(ours, difference->second.ours) << label << difference->second.reason;
            EXPECT_NE(ours, theirs) << label << ": no difference, take it off the table";
        }
    }
    EXPECT_EQ(row, 92);
}

}  // namespace
}  // namespace cmk
