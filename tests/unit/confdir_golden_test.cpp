// SPDX-License-Identifier: Apache-2.0
// What the original's `init` made on recorded machines, against the directories and errors of ours.
#include "base/text.h"
#include "confdir/init.h"
#include "confdir/init_plan.h"
#include "support/golden_init.h"

namespace cmk {
namespace {

using test::GoldenCase;
using test::InitResult;

/// Nothing where a count is no number: that is refused before planning.
std::optional<InitRequest> parse_request(const GoldenCase& golden) {
    const auto exclusive = parse_unsigned(golden.option("num-exclusive-cores", "4"), kMaxCpus);
    const auto shared = parse_unsigned(golden.option("num-shared-cores", "1"), kMaxCpus);
    if (!exclusive || !shared) return std::nullopt;
    const auto mode = [&](const std::string& name) {
        return pool_mode_from(golden.option(name, "packed")).value_or(PoolMode::packed);
    };
    return InitRequest{.exclusive_cores = static_cast<unsigned>(*exclusive),
                       .shared_cores = static_cast<unsigned>(*shared),
                       .exclusive_mode = mode("exclusive-mode"),
                       .shared_mode = mode("shared-mode"),
                       .excl_non_isolcpus = golden.option("excl-non-isolcpus", "-1")};
}

class ConfdirGolden : public test::ConfdirTest {
protected:
    InitResult run(const GoldenCase& golden) {
        const auto request = parse_request(golden);
        if (!request) return {test::kBadCount, {}};
        const auto isolated =
            parse_isolcpus_as_original(golden.cmdline, golden.topology.records().back().cpu);
        if (!isolated) return {isolated.error().message, {}};
        const auto plan = plan_init(golden.topology, golden.core_ids, *isolated, *request);
        if (!plan) return {plan.error().message, {}};
        warnings_ = plan->warnings;
        return make(golden.topology, *plan, *request);
    }

    InitResult make(const Topology& topology, const PoolPlan& plan, const InitRequest& request) {
        const InitCounts counts{request.exclusive_cores, request.shared_cores};
        const auto layout = make_layout(plan, topology);
        const auto made = init_directory(directory(), layout, topology, counts);
        if (!made) return {made.error().message, {}};
        EXPECT_EQ(*made, InitOutcome::created);
        check_files();
        const auto again = init_directory(directory(), layout, topology, counts);
        EXPECT_TRUE(again && *again == InitOutcome::existed);
        const InitResult result{.error = "", .pools = tree()};
        std::filesystem::remove_all(path());
        return result;
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
    for (const GoldenCase& golden : test::golden_cases()) {
        warnings_.clear();
        const InitResult ours = run(golden);
        if (golden.difference) {
            EXPECT_EQ(ours, golden.difference->ours) << golden.label << golden.difference->reason;
            EXPECT_NE(ours, golden.theirs) << golden.label << ": take it off the table";
        } else {
            EXPECT_EQ(ours, golden.theirs) << golden.label;
        }
        if (!golden.theirs.error.empty()) continue;
        for (std::size_t i = 0; i < golden.warnings.size(); ++i) {
            ASSERT_LT(i, warnings_.size()) << golden.label;
            EXPECT_TRUE(warnings_[i].starts_with(golden.warnings[i]))
                << golden.label << ": " << warnings_[i];
        }
    }
}

}  // namespace
}  // namespace cmk
