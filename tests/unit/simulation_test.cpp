// SPDX-License-Identifier: Apache-2.0
#include "cli/simulation.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/init_pools.h"
#include "cli/output_plans.h"
#include "support/machines.h"

namespace cmk {
namespace {

std::string error_of(const Error& error) {
    return error.message;
}

class Simulate : public ::testing::Test {
protected:
    Simulate() {
        request.topology = testing::make_machine({.packages = 2, .cores = 4, .siblings = 2});
        request.pools = init_pools({.exclusive_cores = 3});
    }

    SimulationRequest request;
};

TEST_F(Simulate, MakesPoolsAndLeases) {
    request.leases = {{.pool = "exclusive", .cores = 2}, {.pool = "shared"}};
    const Simulation found = simulate(request).value();
    ASSERT_EQ(found.machine.pools.size(), 3U);
    EXPECT_EQ(found.machine.pools[0].pool.cpus.to_cpulist(), "0-2,8-10");
    EXPECT_EQ(found.machine.pools[0].free_cores, 1U);
    EXPECT_EQ(found.machine.pools[2].pool.cpus.to_cpulist(), "4-7,12-15");
    ASSERT_EQ(found.machine.leases.size(), 2U);
    EXPECT_EQ(found.machine.leases[0].cpus.to_cpulist(), "0-1,8-9");
    EXPECT_EQ(found.machine.leases[1].cpus.to_cpulist(), "3,11");
    EXPECT_TRUE(found.refusals.empty());
}

TEST_F(Simulate, GoesOnAfterARefusal) {
    request.leases = {
        {.pool = "exclusive", .cores = 4}, {.pool = "none"}, {.pool = "exclusive", .cores = 3}};
    const Simulation found = simulate(request).value();
    ASSERT_EQ(found.refusals.size(), 2U);
    EXPECT_EQ(found.refusals[0].rfind("Lease 1: pool \"exclusive\" cannot give 4 cores", 0), 0U);
    ASSERT_EQ(found.machine.leases.size(), 1U);
    EXPECT_EQ(found.machine.leases[0].id, "3");
}

TEST_F(Simulate, CountedPoolsComeFromIsolatedCpus) {
    request.isolated = testing::cpus("4-7,12-15");
    EXPECT_EQ(simulate(request)->machine.pools[0].pool.cpus.to_cpulist(), "4-6,12-14");
}

TEST_F(Simulate, RefusesPoolsThatCannotBe) {
    request.pools = init_pools({.exclusive_cores = 9});
    EXPECT_FALSE(simulate(request));
    request.pools = {{.name = "a"}, {.name = "a"}};
    EXPECT_FALSE(simulate(request));
}

TEST_F(Simulate, IsPrinted) {
    request.leases = {{.pool = "exclusive", .cores = 2}, {.pool = "exclusive", .cores = 2}};
    const Simulation found = simulate(request).value();
    OutputStyle style;
    style.width = 200;
    const std::string text = render_simulation(found, style);
    EXPECT_NE(text.find("a  lease 1, pool exclusive: CPUs 0-1,8-9 of socket 0, NUMA node 0, LLC 0"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("refused: Lease 2: pool"), std::string::npos);
    style.format = OutputFormat::json;
    const auto value = nlohmann::json::parse(render_simulation(found, style));
    EXPECT_EQ(value["kind"], "Simulation");
    EXPECT_EQ(value["cpus"].size(), 16U);
    EXPECT_EQ(value["leases"][0]["cpus"], "0-1,8-9");
    EXPECT_EQ(value["refusals"].size(), 1U);
}

TEST(SimulateOptions, ReadsPools) {
    EXPECT_EQ(*parse_pool("a:exclusive:4"),
              (PoolSpec{.name = "a", .kind = PoolKind::exclusive, .size = 4U}));
    EXPECT_EQ(*parse_pool("b:shared:rest"), (PoolSpec{.name = "b"}));
    EXPECT_EQ(*parse_pool("c:exclusive:2-2:spread"), (PoolSpec{.name = "c",
                                                               .kind = PoolKind::exclusive,
                                                               .size = CpuSet{2},
                                                               .mode = PoolMode::spread}));
    for (const char* wrong :
         {"", "a", "a:exclusive", "a:odd:4", "a:shared:4:odd", "a:shared:x", "a:shared:4:packed:x"})
        EXPECT_FALSE(parse_pool(wrong)) << wrong;
    EXPECT_NE(error_of(parse_pool("a:shared:2-x").error()).find("--pool \"a:shared:2-x\""),
              std::string::npos);
}

TEST(SimulateOptions, ReadsLeases) {
    const AllocationRequest one = parse_lease("exclusive").value();
    EXPECT_EQ(one.cores, 1U);
    EXPECT_FALSE(one.package);
    const AllocationRequest placed = parse_lease("exclusive:4:1").value();
    EXPECT_EQ(placed.pool, "exclusive");
    EXPECT_EQ(placed.cores, 4U);
    EXPECT_EQ(placed.package, 1U);
    for (const char* wrong : {"", ":2", "a:b", "a:1:x", "a:1:2:3"})
        EXPECT_FALSE(parse_lease(wrong)) << wrong;
}

}  // namespace
}  // namespace cmk
