// SPDX-License-Identifier: Apache-2.0
#include "core/pool_planner.h"

#include <gtest/gtest.h>

#include <climits>

#include "support/topologies.h"

namespace cmk {
namespace {

constexpr PoolKind kExclusive = PoolKind::exclusive;
constexpr PoolKind kShared = PoolKind::shared;

CpuSet cpus(const char* list) {
    return CpuSet::parse(list).value();
}

PoolSpec spec(const char* name, PoolKind kind, PoolSize size, PoolMode mode = PoolMode::packed) {
    PoolSpec made;
    made.name = name;
    made.kind = kind;
    made.size = std::move(size);
    made.mode = mode;
    return made;
}

/// "a=0-1 b=2", or the error's text.
std::string planned(const Topology& topology, const std::vector<PoolSpec>& specs,
                    const char* isolated = "") {
    const auto plan = plan_pools(topology, cpus(isolated), specs);
    if (!plan) return plan.error().message;
    std::string text;
    for (const Pool& pool : plan->pools)
        text += (text.empty() ? "" : " ") + pool.spec.name + "=" + pool.cpus.to_cpulist();
    return text;
}

std::vector<std::string> warnings(const Topology& topology, const std::vector<PoolSpec>& specs,
                                  const char* isolated) {
    const auto plan = plan_pools(topology, cpus(isolated), specs);
    return plan ? plan->warnings : std::vector<std::string>{"error: " + plan.error().message};
}

Errc code_of(const Topology& topology, const std::vector<PoolSpec>& specs) {
    const auto plan = plan_pools(topology, {}, specs);
    EXPECT_FALSE(plan);
    return plan ? Errc::internal : plan.error().code;
}

TEST(PoolPlanner, ExplicitCpusComeFirstThenCountsThenTheRest) {
    EXPECT_EQ(planned(test::dual_socket_numa(),
                      {spec("rest", kShared, RestOfCores{}), spec("few", kShared, 1U),
                       spec("many", kExclusive, 2U), spec("named", kExclusive, cpus("0,8"))}),
              "rest=4-7,12-15 few=3,11 many=1-2,9-10 named=0,8");
}

TEST(PoolPlanner, CountedPoolsOfAKindAreFilledInTheirOrder) {
    EXPECT_EQ(
        planned(test::dual_socket_numa(), {spec("b", kExclusive, 1U), spec("a", kExclusive, 1U)}),
        "b=0,8 a=1,9");
}

PoolSpec preferring(PoolSpec spec, const char* list) {
    spec.prefer = cpus(list);
    return spec;
}

TEST(PoolPlanner, PreferredCoresAreTakenFirstInTheOrderOfTheMode) {
    const Topology topology = test::dual_socket_numa();
    EXPECT_EQ(planned(topology, {preferring(spec("a", kExclusive, 3U), "2,10,5-6,13-14")}),
              "a=2,5-6,10,13-14");
    EXPECT_EQ(planned(topology, {preferring(spec("a", kExclusive, 2U, PoolMode::spread),
                                            "2-3,10-11,5-6,13-14")}),
              "a=2,5,10,13");
    // Half a core is no preferred core.
    EXPECT_EQ(planned(topology, {preferring(spec("a", kExclusive, 1U), "3")}), "a=0,8");
    EXPECT_EQ(code_of(topology, {preferring(spec("a", kExclusive, cpus("0,8")), "0,8")}),
              Errc::invalid_argument);
}

TEST(PoolPlanner, WarnsWhenPreferredCoresRunOut) {
    EXPECT_EQ(warnings(test::dual_socket_numa(),
                       {preferring(spec("a", kExclusive, 2U), "2,10"), spec("b", kShared, 1U)}, ""),
              std::vector<std::string>{"Pool \"a\" prefers CPUs 2,10, which has too few free whole "
                                       "cores; it also takes CPUs 0,8."});
}

TEST(PoolPlanner, NoPoolsAreAPlanToo) {
    EXPECT_EQ(planned(test::single_socket_smt(), {}), "");
}

TEST(PoolPlanner, PackedFillsAPackageAndSpreadTakesTurns) {
    const Topology topology = test::dual_socket_numa();
    EXPECT_EQ(planned(topology, {spec("a", kExclusive, 3U)}), "a=0-2,8-10");
    EXPECT_EQ(planned(topology, {spec("a", kExclusive, 3U, PoolMode::spread)}), "a=0-1,4,8-9,12");
    EXPECT_EQ(planned(topology, {spec("a", kExclusive, 6U, PoolMode::packed),
                                 spec("b", kExclusive, 1U, PoolMode::spread)}),
              "a=0-5,8-13 b=6,14");
    EXPECT_EQ(planned(test::dual_socket_interleaved(), {spec("a", kExclusive, 2U)}), "a=0,2,8,10");
}

TEST(PoolPlanner, ACountOfZeroIsAnEmptyPool) {
    EXPECT_EQ(planned(test::single_socket_smt(),
                      {spec("a", kExclusive, 0U), spec("b", kShared, RestOfCores{})}),
              "a= b=0-7");
}

TEST(PoolPlanner, OfflineCpusAreNobodys) {
    EXPECT_EQ(planned(test::holes_offline(),
                      {spec("a", kExclusive, 1U), spec("b", kShared, RestOfCores{})}),
              "a=0,4 b=1-3,6,70");
    EXPECT_EQ(planned(test::holes_offline(), {spec("a", kExclusive, cpus("1,3,70"))}), "a=1,3,70");
    EXPECT_EQ(planned(test::holes_offline(), {spec("a", kExclusive, cpus("1,5,7"))}),
              "pool \"a\" names CPUs 5,7, but only these are online: 0-4,6,70");
    EXPECT_EQ(code_of(test::holes_offline(), {spec("a", kExclusive, cpus("5"))}),
              Errc::invalid_argument);
}

TEST(PoolPlanner, PartOfACoreIsRefusedWithWhatIsMissing) {
    const std::vector<PoolSpec> specs{spec("a", kShared, cpus("0,1,4"))};
    EXPECT_EQ(planned(test::single_socket_smt(), specs),
              "pool \"a\" takes part of a core with CPU 1; add CPU 5 or leave it out");
    EXPECT_EQ(code_of(test::single_socket_smt(), specs), Errc::invalid_argument);
}

TEST(PoolPlanner, CpusInTwoPoolsAreRefusedByName) {
    const std::vector<PoolSpec> specs{spec("a", kExclusive, cpus("0-1,4-5")),
                                      spec("b", kShared, cpus("1-2,5-6"))};
    EXPECT_EQ(planned(test::single_socket_smt(), specs),
              "pool \"b\" and pool \"a\" both name CPUs 1,5");
    EXPECT_EQ(code_of(test::single_socket_smt(), specs), Errc::invalid_argument);
}

TEST(PoolPlanner, SpecsThatContradictThemselvesAreRefused) {
    const Topology topology = test::single_socket_smt();
    const std::vector<PoolSpec> rests{spec("a", kShared, RestOfCores{}),
                                      spec("b", kShared, RestOfCores{})};
    EXPECT_EQ(planned(topology, rests),
              "pool \"b\" and pool \"a\" both want the rest of the cores; give one of them a "
              "number of cores or CPUs");
    EXPECT_EQ(code_of(topology, rests), Errc::invalid_argument);
    EXPECT_EQ(planned(topology, {spec("a", kShared, 1U), spec("a", kShared, 1U)}),
              "pool \"a\" is configured twice");
    for (const char* name : {"", "..", "a/b", "-a", "a b"}) {
        EXPECT_EQ(code_of(topology, {spec(name, kShared, 1U)}), Errc::invalid_argument) << name;
    }
}

TEST(PoolPlanner, WhatNoConfigurationFileMaySayIsRefused) {
    // Reconfigure writes its pools as a file: what that file may not say, the next start refuses.
    const Topology topology = test::single_socket_smt();
    const std::vector<PoolSpec> nothing{spec("a", kShared, CpuSet{})};
    EXPECT_EQ(planned(topology, nothing),
              "pool \"a\" names no CPU; give it CPUs or a number of cores");
    EXPECT_EQ(code_of(topology, nothing), Errc::invalid_argument);
    const std::vector<PoolSpec> exclusive_rest{spec("a", kShared, 1U),
                                               spec("b", kExclusive, RestOfCores{})};
    EXPECT_EQ(planned(topology, exclusive_rest),
              "pool \"b\" wants the rest of the cores, but only a shared pool can have it; give it "
              "CPUs or a number of cores");
    EXPECT_EQ(code_of(topology, exclusive_rest), Errc::invalid_argument);
}

TEST(PoolPlanner, TooManyCoresAreRefusedWithHowManyThereAre) {
    const Topology topology = test::single_socket_smt();
    const std::vector<PoolSpec> specs{spec("a", kExclusive, 2U), spec("b", kShared, 3U)};
    EXPECT_EQ(planned(topology, specs),
              "pool \"b\" wants 3 cores, but only 2 of 4 cores are left after the pools before it; "
              "ask for fewer");
    EXPECT_EQ(code_of(topology, specs), Errc::not_enough_cpus);
    EXPECT_EQ(code_of(topology, {spec("a", kExclusive, UINT_MAX), spec("b", kShared, UINT_MAX)}),
              Errc::not_enough_cpus);
}

TEST(PoolPlanner, OneCoreStaysOutsideOfExclusivePools) {
    const Topology topology = test::single_socket_smt();
    EXPECT_EQ(planned(topology, {spec("a", kExclusive, 2U), spec("b", kExclusive, 2U)}),
              "exclusive pools want all 4 cores of the machine; leave at least one core to the "
              "system");
    EXPECT_EQ(planned(topology, {spec("a", kExclusive, cpus("0-7"))}),
              planned(topology, {spec("a", kExclusive, 4U)}));
    EXPECT_EQ(planned(topology, {spec("a", kExclusive, 3U), spec("b", kShared, 1U)}),
              "a=0-2,4-6 b=3,7");
    EXPECT_EQ(code_of(test::make_uniform(1, 1, 1, 1, 2), {spec("a", kExclusive, 1U)}),
              Errc::not_enough_cpus);
}

TEST(PoolPlanner, ARestIsNeverEmpty) {
    const std::vector<PoolSpec> specs{spec("a", kExclusive, 3U), spec("b", kShared, 1U),
                                      spec("c", kShared, RestOfCores{})};
    EXPECT_EQ(planned(test::single_socket_smt(), specs),
              "pool \"c\" wants the rest of the cores, but no core is left after the other pools; "
              "leave it at least one");
    EXPECT_EQ(code_of(test::single_socket_smt(), specs), Errc::not_enough_cpus);
}

TEST(PoolPlanner, CountedPoolsDrawFromIsolatedCoresAndTheRestFromTheOthers) {
    const auto plan = plan_pools(
        test::dual_socket_numa(), cpus("4-6,12-14"),
        {spec("a", kExclusive, 2U), spec("b", kShared, 1U), spec("c", kShared, RestOfCores{})});
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->pools[0].cpus.to_cpulist(), "4-5,12-13");
    EXPECT_TRUE(plan->pools[0].boot_isolated);
    EXPECT_EQ(plan->pools[1].cpus.to_cpulist(), "6,14");
    EXPECT_TRUE(plan->pools[1].boot_isolated);
    EXPECT_EQ(plan->pools[2].cpus.to_cpulist(), "0-3,7-11,15");
    EXPECT_FALSE(plan->pools[2].boot_isolated);
}

TEST(PoolPlanner, CountedPoolsMustFitIntoTheIsolatedCores) {
    const Topology topology = test::dual_socket_numa();
    EXPECT_EQ(planned(topology, {spec("a", kExclusive, 2U), spec("b", kShared, 1U)}, "4-5,12-13"),
              "3 cores wanted for \"a\", \"b\", but only 2 cores are isolated at boot (4-5,12-13); "
              "ask for fewer, isolate more whole cores with isolcpus=, or name a pool's CPUs");
    EXPECT_EQ(planned(topology, {spec("x", kExclusive, cpus("4,12")), spec("a", kExclusive, 2U)},
                      "4-5,12-13"),
              "2 cores wanted for \"a\", but only 1 core is left of those isolated at boot "
              "(4-5,12-13); ask for fewer, isolate more whole cores with isolcpus=, or name a "
              "pool's CPUs");
    EXPECT_EQ(planned(topology, {spec("a", kExclusive, UINT_MAX), spec("b", kExclusive, UINT_MAX)},
                      "4-5,12-13")
                  .substr(0, 17),
              "8589934590 cores ");
}

TEST(PoolPlanner, WithAllCoresIsolatedThereIsNoRest) {
    EXPECT_EQ(planned(test::single_socket_smt(),
                      {spec("a", kExclusive, 1U), spec("b", kShared, RestOfCores{})}, "0-7"),
              "pool \"b\" wants the rest of the cores, but no core that is not isolated at boot is "
              "left after the other pools; leave it at least one");
}

TEST(PoolPlanner, APartlyIsolatedCoreCountsAsNotIsolatedAndIsWarnedAbout) {
    const Topology topology = test::single_socket_smt();
    const std::vector<PoolSpec> specs{spec("a", kExclusive, 1U), spec("b", kShared, RestOfCores{})};
    EXPECT_EQ(planned(topology, specs, "2,3,7"), "a=3,7 b=0-2,4-6");
    EXPECT_EQ(warnings(topology, specs, "2,3,7"),
              std::vector<std::string>{
                  "Only part of 1 core is isolated at boot (CPU 2 without 6), which counts as not "
                  "isolated; name whole cores in isolcpus=."});
    EXPECT_EQ(planned(topology, specs, "2"), "a=0,4 b=1-3,5-7");
    EXPECT_EQ(warnings(topology, specs, "64"), std::vector<std::string>{});
}

TEST(PoolPlanner, IsolatedCoresThatNoPoolUsesAreWarnedAbout) {
    EXPECT_EQ(warnings(test::single_socket_smt(), {spec("a", kExclusive, 1U)}, "1-3,5-7"),
              std::vector<std::string>{"No pool uses 2 cores of the 3 isolated at boot (CPUs "
                                       "2-3,6-7); enlarge a pool or take them out of isolcpus=."});
}

TEST(PoolPlanner, ASharedPoolOnIsolatedCpusIsWarnedAbout) {
    const auto found = warnings(test::single_socket_smt(), {spec("a", kShared, 1U)}, "3,7");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].find("Shared pool \"a\" lies on CPUs isolated at boot"), 0U);
    EXPECT_TRUE(warnings(test::hybrid(), {spec("a", kShared, 1U)}, "7").empty());
}

TEST(PoolPlanner, ExplicitCpusDoNotMixIsolatedAndOthers) {
    EXPECT_EQ(planned(test::single_socket_smt(), {spec("a", kExclusive, cpus("1-2,5-6"))}, "2,6"),
              "pool \"a\" mixes CPUs isolated at boot (2,6) with others (1,5); make two pools of "
              "them or change isolcpus=");
}

}  // namespace
}  // namespace cmk
