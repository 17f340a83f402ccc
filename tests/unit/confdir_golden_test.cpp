// SPDX-License-Identifier: Apache-2.0
// What the original's `init` (1.3.1 and 1.4.1) made on recorded machines, against the directories
// and errors of ours.
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "confdir/init.h"
#include "confdir/init_plan.h"
#include "support/confdirs.h"

namespace cmk {
namespace {

using nlohmann::json;
using test::PoolTree;

struct Outcome {
    std::string error;  ///< "" for success
    PoolTree pools;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
    if (!outcome.error.empty()) return out << "error: " << outcome.error;
    for (const auto& [pool, sockets] : outcome.pools) {
        for (const auto& [socket, lists] : sockets) {
            out << pool << "/" << socket << ":";
            for (const std::string& list : lists)
                out << " " << list;
            out << "; ";
        }
    }
    return out;
}

constexpr char kNoInfra[] = "No more free cores left to assign for infra";
constexpr char kBadCount[] = "the number of cores is no number";

struct Difference {
    std::string reason;
    Outcome ours;
};

Outcome success(PoolTree pools) {
    return {.error = "", .pools = std::move(pools)};
}

const PoolTree& eight_core_pools() {
    static const PoolTree kPools{{"exclusive", {{"0", {"0,8", "1,9", "2,10", "3,11"}}}},
                                 {"shared", {{"0", {"4,12"}}}},
                                 {"infra", {{"0", {"5,13,6,14,7,15"}}}}};
    return kPools;
}

/// By version and the row's number among the recorded cases of that version.
const std::map<std::string, Difference>& differences() {
    static const std::string kZero = "a count of 0 needs no free core (as the original since 1.5)";
    static const std::map<std::string, Difference> kDifferences{
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

/// The value of "--NAME=VALUE".
std::string option(const json& args, const std::string& name, const std::string& fallback) {
    const std::string prefix = "--" + name + "=";
    for (const json& arg : args) {
        const std::string text = arg.get<std::string>();
        if (text.starts_with(prefix)) return text.substr(prefix.size());
    }
    return fallback;
}

/// Nothing where a count is no number: that is refused before planning.
std::optional<InitRequest> parse_request(const json& args) {
    const auto exclusive = parse_unsigned(option(args, "num-exclusive-cores", "4"), kMaxCpus);
    const auto shared = parse_unsigned(option(args, "num-shared-cores", "1"), kMaxCpus);
    if (!exclusive || !shared) return std::nullopt;
    const auto mode = [&](const std::string& name) {
        return pool_mode_from(option(args, name, "packed")).value_or(PoolMode::packed);
    };
    return InitRequest{.exclusive_cores = static_cast<unsigned>(*exclusive),
                       .shared_cores = static_cast<unsigned>(*shared),
                       .exclusive_mode = mode("exclusive-mode"),
                       .shared_mode = mode("shared-mode"),
                       .excl_non_isolcpus = option(args, "excl-non-isolcpus", "-1")};
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

Outcome recorded_outcome(const json& recorded) {
    if (recorded["rc"] != 0) {
        const auto errors = lines_of(recorded, "ERROR");
        return {errors.empty() ? "a traceback" : errors.back(), {}};
    }
    Outcome outcome;
    for (const auto& [pool, sockets] : recorded["pools"].items()) {
        for (const auto& [socket, lists] : sockets.items())
            outcome.pools[pool][socket] = lists.get<std::set<std::string>>();
    }
    return outcome;
}

class ConfdirGolden : public test::ConfdirTest {
protected:
    Outcome run(const Machine& machine, const json& recorded) {
        const auto request = parse_request(recorded["args"]);
        if (!request) return {kBadCount, {}};
        const auto isolated = parse_isolcpus_as_original(recorded["cmdline"].get<std::string>(),
                                                         machine.topology.records().back().cpu);
        if (!isolated) return {isolated.error().message, {}};
        const auto plan = plan_init(machine.topology, machine.core_ids, *isolated, *request);
        if (!plan) return {plan.error().message, {}};
        warnings_ = plan->warnings;
        return make(machine, *plan, *request);
    }

    Outcome make(const Machine& machine, const PoolPlan& plan, const InitRequest& request) {
        const InitCounts counts{request.exclusive_cores, request.shared_cores};
        const auto layout = make_layout(plan, machine.topology);
        const auto made = init_directory(directory(), layout, machine.topology, counts);
        if (!made) return {made.error().message, {}};
        EXPECT_EQ(*made, InitOutcome::created);
        check_files();
        const auto again = init_directory(directory(), layout, machine.topology, counts);
        EXPECT_TRUE(again && *again == InitOutcome::existed);
        const Outcome outcome = success(tree());
        std::filesystem::remove_all(path());
        return outcome;
    }

    void check_files() const {
        EXPECT_EQ(get("lock"), "");
        EXPECT_TRUE(exists("lock"));
        for (const ListedPool& pool : content().pools) {
            const bool exclusive = pool.name.starts_with("exclusive");
            EXPECT_EQ(get("pools/" + pool.name + "/exclusive"), exclusive ? "1" : "0");
            for (const CpuList& list : pool.lists) {
                EXPECT_TRUE(exists(list.path() + "/tasks"));
                EXPECT_EQ(get(list.path() + "/tasks"), "");
            }
        }
    }

    std::vector<std::string> warnings_;
};

TEST_F(ConfdirGolden, MakesWhatTheOriginalMadeButForTheListedDifferences) {
    std::ifstream file(CMK_TEST_DATA "/cmk-golden-init.json");
    ASSERT_TRUE(file) << "cannot read " CMK_TEST_DATA "/cmk-golden-init.json";
    const json data = json::parse(file);
    std::map<std::string, int> rows;
    for (const json& recorded : data["cases"]) {
        const std::string version = recorded["version"].get<std::string>();
        const std::string row = version + "/" + std::to_string(++rows[version]);
        const std::string label =
            row + " " + recorded["args"].dump() + " " + recorded["cmdline"].dump();
        warnings_.clear();
        const Outcome ours = run(
            parse_machine(data["topologies"][recorded["topology"].get<std::string>()]), recorded);
        const Outcome theirs = recorded_outcome(recorded);
        const auto difference = differences().find(row);
        if (difference == differences().end()) {
            EXPECT_EQ(ours, theirs) << label;
        } else {
            EXPECT_EQ(ours, difference->second.ours) << label << difference->second.reason;
            EXPECT_NE(ours, theirs) << label << ": no difference, take it off the table";
        }
        if (!theirs.error.empty()) continue;
        const auto expected = lines_of(recorded, "WARNING");
        for (std::size_t i = 0; i < expected.size(); ++i) {
            ASSERT_LT(i, warnings_.size()) << label;
            EXPECT_TRUE(warnings_[i].starts_with(expected[i])) << label << ": " << warnings_[i];
        }
    }
    EXPECT_EQ(rows["1.3.1"], 92);
    EXPECT_EQ(rows["1.4.1"], 14);
}

}  // namespace
}  // namespace cmk
