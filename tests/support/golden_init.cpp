// SPDX-License-Identifier: Apache-2.0
#include "support/golden_init.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace cmk::test {

namespace {

using nlohmann::json;

constexpr char kNoInfra[] = "No more free cores left to assign for infra";

InitResult success(PoolTree pools) {
    return {.error = "", .pools = std::move(pools)};
}

const PoolTree& eight_core_pools() {
    static const PoolTree kPools{{"exclusive", {{"0", {"0,8", "1,9", "2,10", "3,11"}}}},
                                 {"shared", {{"0", {"4,12"}}}},
                                 {"infra", {{"0", {"5,13,6,14,7,15"}}}}};
    return kPools;
}

/// By version and the row's number among the recorded cases of that version.
const std::map<std::string, GoldenDifference>& differences() {
    static const std::string kZero = "a count of 0 needs no free core (as the original since 1.5)";
    static const std::map<std::string, GoldenDifference> kDifferences{
        {"1.3.1/8", {kZero, {kNoInfra, {}}}},
        {"1.3.1/22",
         {kZero, success({{"exclusive", {{"0", {"0,8"}}}},
                          {"shared", {{"0", {}}}},
                          {"infra", {{"0", {"1,9,2,10,3,11,4,12,5,13,6,14,7,15"}}}}})}},
        {"1.3.1/26",
         {kZero, success({{"exclusive", {{"0", {"0,8", "1,9", "2,10", "3,11", "4,12"}}}},
                          {"shared", {{"0", {}}}},
                          {"infra", {{"0", {"5,13,6,14,7,15"}}}}})}},
        {"1.3.1/31", {"isolcpus= flags are accepted", success(eight_core_pools())}},
        {"1.3.1/32", {"isolcpus= flags are accepted", success(eight_core_pools())}},
        {"1.3.1/33", {"an empty isolcpus= isolates nothing", success(eight_core_pools())}},
        {"1.3.1/35", {"N is the last CPU, so all cores are isolated", {kNoInfra, {}}}},
        {"1.3.1/85",
         {"sockets in ascending order", success({{"exclusive", {{"0", {"2", "3"}}, {"1", {}}}},
                                                 {"shared", {{"0", {}}, {"1", {"0"}}}},
                                                 {"infra", {{"0", {}}, {"1", {"1"}}}}})}},
        {"1.3.1/86",
         {"sockets in ascending order", success({{"exclusive", {{"0", {"2"}}, {"1", {"0"}}}},
                                                 {"shared", {{"0", {"3"}}, {"1", {}}}},
                                                 {"infra", {{"0", {}}, {"1", {"1"}}}}})}},
        {"1.3.1/90", {"a negative count is refused", {kBadCount, {}}}},
        {"1.3.1/91", {"a text of our own", {kBadCount, {}}}},
        {"1.3.1/92", {"a text of our own", {kBadCount, {}}}},
        {"1.4.1/14",
         {kZero, success({{"exclusive", {{"0", {"0,8", "1,9", "2,10", "3,11", "4,12"}}}},
                          {"shared", {{"0", {}}}},
                          {"exclusive-non-isolcpus", {{"0", {"6,14", "7,15"}}}},
                          {"infra", {{"0", {"5,13"}}}}})}},
    };
    return kDifferences;
}

struct Machine {
    Topology topology;
    CoreIds core_ids;
};

Machine parse_machine(const json& rows) {
    std::vector<CpuRecord> records;
    std::map<unsigned, unsigned> core_by_cpu;
    for (const json& row : rows) {
        const std::string text = row.get<std::string>();
        const auto fields = split(text, ',');
        const auto number = [&](std::size_t i) {
            return static_cast<unsigned>(parse_unsigned(fields[i]).value());
        };
        core_by_cpu[number(0)] = number(1);
        // Some machines count cores anew on every package.
        records.push_back({.cpu = number(0),
                           .core = number(2) * 1000 + number(1),
                           .package = number(2),
                           .numa = number(2),
                           .llc = number(2)});
    }
    Machine machine{Topology::from_records(std::move(records)).value(), {}};
    for (const Core& core : machine.topology.cores())
        machine.core_ids.push_back(core_by_cpu.at(core.cpus.lowest()));
    return machine;
}

/// The lines of that level, without what the original appends to a partly isolated core.
std::vector<std::string> lines_of(const json& recorded, const std::string& level) {
    std::vector<std::string> texts;
    for (const json& line : recorded["stderr"]) {
        std::string text = line.get<std::string>();
        const std::string prefix = level + ":root:";
        if (!text.starts_with(prefix) || text.find("Wrong mode") != std::string::npos) continue;
        text = text.substr(prefix.size());
        texts.push_back(text.substr(0, text.find(": {")));
    }
    return texts;
}

InitResult recorded_result(const json& recorded) {
    if (recorded["rc"] != 0) {
        const auto errors = lines_of(recorded, "ERROR");
        return {errors.empty() ? "a traceback" : errors.back(), {}};
    }
    InitResult result;
    for (const auto& [pool, sockets] : recorded["pools"].items()) {
        for (const auto& [socket, lists] : sockets.items())
            result.pools[pool][socket] = lists.get<std::set<std::string>>();
    }
    return result;
}

GoldenCase read_case(const json& topologies, const json& recorded, int number) {
    GoldenCase golden;
    golden.version = recorded["version"].get<std::string>();
    const json& rows = topologies[recorded["topology"].get<std::string>()];
    Machine machine = parse_machine(rows);
    golden.topology = std::move(machine.topology);
    golden.core_ids = std::move(machine.core_ids);
    golden.rows = rows.get<std::vector<std::string>>();
    golden.cmdline = recorded["cmdline"].get<std::string>();
    golden.args = recorded["args"].get<std::vector<std::string>>();
    golden.theirs = recorded_result(recorded);
    golden.warnings = lines_of(recorded, "WARNING");
    const std::string row = golden.version + "/" + std::to_string(number);
    golden.label = row + " " + recorded["args"].dump() + " " + recorded["cmdline"].dump();
    const auto difference = differences().find(row);
    if (difference != differences().end()) golden.difference = difference->second;
    return golden;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const InitResult& result) {
    if (!result.error.empty()) return out << "error: " << result.error;
    for (const auto& [pool, sockets] : result.pools) {
        for (const auto& [socket, lists] : sockets) {
            out << pool << "/" << socket << ":";
            for (const std::string& list : lists)
                out << " " << list;
            out << "; ";
        }
    }
    return out;
}

std::string GoldenCase::option(const std::string& name, const std::string& fallback) const {
    const std::string prefix = "--" + name + "=";
    for (const std::string& text : args) {
        if (text.starts_with(prefix)) return text.substr(prefix.size());
    }
    return fallback;
}

std::vector<GoldenCase> golden_cases() {
    std::ifstream file(CMK_TEST_DATA "/cmk-golden-init.json");
    EXPECT_TRUE(file) << "cannot read " CMK_TEST_DATA "/cmk-golden-init.json";
    if (!file) return {};
    const json data = json::parse(file);
    std::map<std::string, int> numbers;
    std::vector<GoldenCase> cases;
    for (const json& recorded : data["cases"]) {
        const std::string version = recorded["version"].get<std::string>();
        cases.push_back(read_case(data["topologies"], recorded, ++numbers[version]));
    }
    EXPECT_EQ(numbers["1.3.1"], 92);
    EXPECT_EQ(numbers["1.4.1"], 14);
    return cases;
}

}  // namespace cmk::test
