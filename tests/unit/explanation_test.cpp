// SPDX-License-Identifier: Apache-2.0
#include "cli/explanation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/output_plans.h"
#include "support/machines.h"

namespace cmk {
namespace {

using testing::make_lease;
using testing::make_machine;
using testing::make_pool;

/// Two sockets of four cores; "fast" has three cores of each and "slow" one.
class Explain : public ::testing::Test {
protected:
    Explain() {
        machine.host.topology = make_machine({.packages = 2, .cores = 4, .siblings = 2});
        machine.pools = {make_pool("fast", PoolKind::exclusive, "0-2,4-6,8-10,12-14", 6),
                         make_pool("slow", PoolKind::exclusive, "3,11", 1),
                         make_pool("shared", PoolKind::shared, "7,15", 1)};
        take(make_lease("aa", "fast", "0-1,8-9", 10, "nginx"), 2);
    }

    void take(const Lease& lease, unsigned cores) {
        hide(lease, cores);
        machine.leases.push_back(lease);
    }

    /// Its cores are gone, but the caller does not see it.
    void hide(const Lease& lease, unsigned cores) {
        PoolReport& report = pool(lease.pool);
        report.free -= lease.cpus;
        report.free_cores -= cores;
        ++report.leases;
    }

    PoolReport& pool(const std::string& name) {
        return *std::find_if(machine.pools.begin(), machine.pools.end(),
                             [&](const auto& each) { return each.pool.spec.name == name; });
    }

    Explanation ask(const AllocationRequest& request) const {
        return explain(machine, request).value();
    }

    static bool has(const std::vector<std::string>& texts, const std::string& part) {
        return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
            return text.find(part) != std::string::npos;
        });
    }

    Machine machine;
};

TEST_F(Explain, SaysWhichCoresFromWhere) {
    const Explanation found = ask({.pool = "fast", .cores = 3});
    EXPECT_FALSE(found.refusal);
    EXPECT_EQ(found.cpus.to_cpulist(), "4-6,12-14");
    EXPECT_EQ(found.places,
              std::vector<std::string>{"CPUs 4-6,12-14 of socket 1, NUMA node 1, LLC 1"});
    EXPECT_EQ(found.holders, machine.leases);
    EXPECT_TRUE(has(found.notes, "Not checked"));
}

TEST_F(Explain, TellsWhenCoresComeFromSeveralNodes) {
    const Explanation found = ask({.pool = "fast", .cores = 4});
    EXPECT_EQ(found.cpus.to_cpulist(), "2,4-6,10,12-14");
    EXPECT_EQ(found.places.size(), 2U);
    EXPECT_TRUE(has(found.notes, "they come from 2; at most 3 would come from one."));
}

TEST_F(Explain, RefusalNamesWhatWouldFit) {
    const Explanation found = ask({.pool = "fast", .cores = 5});
    ASSERT_TRUE(found.refusal);
    EXPECT_EQ(found.refusal->code, Errc::not_enough_cpus);
    EXPECT_NE(found.refusal->message.find("held by aa (CPUs 0-1,8-9)"), std::string::npos);
    EXPECT_TRUE(found.cpus.empty());
    EXPECT_EQ(found.alternatives,
              (std::vector<std::string>{"4 cores: CPUs 2,4-6,10,12-14.",
                                        "The same when lease aa has ended (nginx).",
                                        "The same later: cmkctl isolate --wait queues for it."}));
}

TEST_F(Explain, RefusalOnAPackageNamesTheOthers) {
    const Explanation found = ask({.pool = "fast", .cores = 2, .package = 0});
    ASSERT_TRUE(found.refusal);
    EXPECT_TRUE(has(found.alternatives, "1 core on socket 0: CPUs 2,10."));
    EXPECT_TRUE(has(found.alternatives, "The same on socket 1."));
    EXPECT_TRUE(has(found.alternatives, "The same with the socket left open."));
}

TEST_F(Explain, NamesOtherPools) {
    take(make_lease("bb", "fast", "2,4-6,10,12-14", 11, "make"), 4);
    const Explanation found = ask({.pool = "fast", .cores = 1});
    ASSERT_TRUE(found.refusal);
    EXPECT_TRUE(has(found.alternatives, "The same from pool \"slow\"."));
    EXPECT_FALSE(has(found.alternatives, "shared"));
    EXPECT_TRUE(has(found.alternatives, "lease aa has ended"));
    EXPECT_TRUE(has(found.alternatives, "lease bb has ended"));
}

TEST_F(Explain, LeasesThatTheCallerMayNotSeeHoldCores) {
    hide(make_lease("hidden", "fast", "4-6,12-14", 12, "secret"), 3);
    const Explanation found = ask({.pool = "fast", .cores = 2});
    ASSERT_TRUE(found.refusal);
    EXPECT_EQ(found.hidden_cores, 3U);
    EXPECT_EQ(found.holders.size(), 1U);
    EXPECT_TRUE(has(found.notes, "You may not see all leases"));
    EXPECT_NE(found.refusal->message.find("a lease you may not see in fast (CPUs 4-6,12-14)"),
              std::string::npos)
        << found.refusal->message;
    EXPECT_FALSE(has(found.alternatives, "hidden"));
}

TEST_F(Explain, AQueueComesFirst) {
    pool("fast").waiting = 2;
    const Explanation found = ask({.pool = "fast", .cores = 1});
    ASSERT_TRUE(found.refusal);
    EXPECT_NE(found.refusal->message.find("2 requests wait"), std::string::npos);
    EXPECT_EQ(found.alternatives,
              (std::vector<std::string>{"The same from pool \"slow\".",
                                        "The same later: cmkctl isolate --wait queues for it."}));
}

TEST_F(Explain, SharedPoolsGiveAll) {
    const Explanation found = ask({.pool = "shared", .cores = 7});
    EXPECT_EQ(found.cpus.to_cpulist(), "7,15");
    EXPECT_TRUE(has(found.notes, "A shared pool gives every lease all of its CPUs"));
}

TEST_F(Explain, UnknownPoolIsARefusalToo) {
    const Explanation found = ask({.pool = "quick", .cores = 1});
    ASSERT_TRUE(found.refusal);
    EXPECT_EQ(found.refusal->code, Errc::unknown_pool);
    EXPECT_TRUE(found.notes.empty());
}

TEST_F(Explain, ContradictionsAreErrors) {
    machine.leases.push_back(make_lease("bb", "fast", "0,8", 11, "make"));
    EXPECT_FALSE(explain(machine, {.pool = "fast"}));
}

TEST_F(Explain, IsPrinted) {
    OutputStyle style;
    style.width = 200;
    const std::string given = render_explanation(ask({.pool = "fast", .cores = 2}), style);
    EXPECT_EQ(given.rfind("2 cores of pool \"fast\": would get CPUs 4-5,12-13.\n"
                          "from: CPUs 4-5,12-13 of socket 1, NUMA node 1, LLC 1\n",
                          0),
              0U)
        << given;
    const std::string refused = render_explanation(ask({.pool = "fast", .cores = 5}), style);
    EXPECT_NE(refused.find("would be refused.\nbecause: pool \"fast\" cannot give 5 cores"),
              std::string::npos)
        << refused;
    EXPECT_NE(refused.find("instead: 4 cores: CPUs"), std::string::npos);
    EXPECT_NE(refused.find("nginx"), std::string::npos);
    style.format = OutputFormat::json;
    const auto value = nlohmann::json::parse(
        render_explanation(ask({.pool = "fast", .cores = 2, .package = 0}), style));
    EXPECT_EQ(value["kind"], "Explanation");
    EXPECT_EQ(value["granted"], false);
    EXPECT_EQ(value["package"], 0);
    EXPECT_EQ(value["refusal"]["error"], "org.cmk.Agent.NotEnoughCpus");
    EXPECT_EQ(value["holders"][0]["command"], "nginx");
}

}  // namespace
}  // namespace cmk
