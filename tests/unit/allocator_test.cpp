// SPDX-License-Identifier: Apache-2.0
#include "core/allocator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bitset>
#include <climits>
#include <set>

#include "support/ledgers.h"
#include "support/topologies.h"

namespace cmk {
namespace {

using test::cpu_set;
using test::exclusive_pool;
using test::lease_of;
using test::ledger_of;
using test::shared_pool;

AllocationRequest request(unsigned cores, std::optional<unsigned> package = {}) {
    return {.pool = "exclusive", .cores = cores, .package = package};
}

/// The CPUs given, or the error's text.
std::string given(const Topology& topology, const Ledger& ledger,
                  const AllocationRequest& request) {
    const auto cpus = allocate(topology, ledger, request);
    return cpus ? cpus->to_cpulist() : cpus.error().message;
}

TEST(Allocator, TakesTheLowestIdsWhereAllElseIsEqual) {
    const Ledger ledger = ledger_of({exclusive_pool("0-15")});
    EXPECT_EQ(given(test::dual_socket_numa(), ledger, request(2)), "0-1,8-9");
}

TEST(Allocator, GivesWholeCoresWithTheirSiblings) {
    const Ledger ledger = ledger_of({exclusive_pool("0-7")}, {lease_of("l1", "exclusive", "0,4")});
    EXPECT_EQ(given(test::single_socket_smt(), ledger, request(1)), "1,5");
}

TEST(Allocator, OneNumaNodeGoesBeforeLowerIds) {
    const Ledger ledger = ledger_of({exclusive_pool("2-7,10-15")});
    EXPECT_EQ(given(test::dual_socket_numa(), ledger, request(3)), "4-6,12-14");
}

TEST(Allocator, OneCacheGoesBeforeLowerIds) {
    const Ledger ledger =
        ledger_of({exclusive_pool("0-31")}, {lease_of("l1", "exclusive", "0,16")});
    EXPECT_EQ(given(test::amd_nps4_split_l3(), ledger, request(2)), "2-3,18-19");
}

TEST(Allocator, FewerNumaNodesGoBeforeFewerCaches) {
    // Two nodes of four caches of two cores: node 0 has one core free in each of its caches.
    const Topology topology = test::make_uniform(1, 2, 4, 2, 1);
    EXPECT_EQ(given(topology, ledger_of({exclusive_pool("0,2,4,6,8-9")}), request(4)), "0,2,4,6");
    EXPECT_EQ(given(topology, ledger_of({exclusive_pool("0,2,4,6,8-11")}), request(4)), "8-11");
}

TEST(Allocator, OfflineSiblingsAreNotMissed) {
    const Ledger ledger = ledger_of({exclusive_pool("0-4,6,70")});
    EXPECT_EQ(given(test::holes_offline(), ledger, request(5)), "0-4,6,70");
}

TEST(Allocator, APackageBoundsTheChoice) {
    const Ledger ledger = ledger_of({exclusive_pool("0-15")});
    EXPECT_EQ(given(test::dual_socket_numa(), ledger, request(2, 1)), "4-5,12-13");
    EXPECT_EQ(given(test::dual_socket_interleaved(), ledger, request(2, 1)), "1,3,9,11");
}

TEST(Allocator, APackageThatTheMachineLacksIsAnError) {
    const Ledger ledger = ledger_of({exclusive_pool("0-15"), shared_pool("")});
    const auto refused = allocate(test::dual_socket_numa(), ledger, request(1, 7));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
    EXPECT_EQ(refused.error().message, "no package (socket) 7; there are 0, 1");
}

TEST(Allocator, ASharedPoolGivesAllItsCpusWhateverTheCount) {
    const Ledger ledger = ledger_of({shared_pool("0-7,8-15")}, {lease_of("l1", "shared", "0-15")});
    for (const unsigned cores : {0U, 1U, 3U, UINT_MAX}) {
        EXPECT_EQ(given(test::dual_socket_numa(), ledger, {.pool = "shared", .cores = cores}),
                  "0-15");
    }
    EXPECT_EQ(given(test::dual_socket_numa(), ledger, {.pool = "shared", .package = 1}),
              "4-7,12-15");
}

TEST(Allocator, ASharedPoolWithoutACpuThereSaysWhatItHas) {
    const Ledger ledger = ledger_of({shared_pool("0,8")});
    const auto refused =
        allocate(test::dual_socket_numa(), ledger, {.pool = "shared", .package = 1});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_enough_cpus);
    EXPECT_EQ(
        refused.error().message,
        "shared pool \"shared\" has no online CPU on package 1; its CPUs are \"0,8\"; enlarge "
        "it with cmkctl init, or use another pool");
    EXPECT_FALSE(
        allocate(test::dual_socket_numa(), ledger_of({shared_pool("")}), {.pool = "shared"}));
}

TEST(Allocator, AnUnknownPoolIsAnsweredWithThePoolsThereAre) {
    const Ledger ledger = ledger_of({exclusive_pool("0-3"), shared_pool("4-7")});
    const auto refused = allocate(test::single_socket_smt(), ledger, {.pool = "no\nwhere"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unknown_pool);
    EXPECT_EQ(refused.error().message,
              "no pool \"no\\x0awhere\"; there are \"exclusive\", \"shared\"");
    EXPECT_EQ(given(test::single_socket_smt(), {}, request(1)),
              "no pool \"exclusive\"; no pools are set up yet, see cmkctl init");
}

TEST(Allocator, CountsOutOfRangeAreErrors) {
    const Ledger ledger = ledger_of({exclusive_pool("0-7")});
    for (const unsigned cores : {0U, kMaxCpus + 1, UINT_MAX}) {
        const auto refused = allocate(test::single_socket_smt(), ledger, request(cores));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, Errc::invalid_argument);
        EXPECT_EQ(refused.error().message,
                  "cannot lease " + std::to_string(cores) + " cores; ask for 1 to 8192");
    }
    EXPECT_EQ(allocate(test::single_socket_smt(), ledger, request(kMaxCpus)).error().code,
              Errc::not_enough_cpus);
}

TEST(Allocator, ARefusalSaysWhatIsFreeWhereAndWhoHoldsTheRest) {
    const Ledger ledger =
        ledger_of({exclusive_pool("0-15")}, {lease_of("l1", "exclusive", "0-1,8-9")});
    const auto refused = allocate(test::dual_socket_numa(), ledger, request(7));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_enough_cpus);
    EXPECT_EQ(refused.error().message,
              "pool \"exclusive\" cannot give 7 cores: 6 of its 8 cores are free (package 0 NUMA "
              "node 0: 2, package 1 NUMA node 1: 4); held by l1 (CPUs 0-1,8-9); ask for at most 6, "
              "or wait for or release a lease");
    EXPECT_NE(given(test::dual_socket_numa(), ledger, request(9))
                  .find("ask for at most 6, or enlarge the pool with cmkctl init"),
              std::string::npos);
}

TEST(Allocator, ARefusalOnAPackageSpeaksOfThatPackage) {
    const Ledger ledger =
        ledger_of({exclusive_pool("0-15")},
                  {lease_of("l1", "exclusive", "0-1,8-9"), lease_of("l2", "exclusive", "4,12")});
    EXPECT_EQ(given(test::dual_socket_numa(), ledger, request(3, 0)),
              "pool \"exclusive\" cannot give 3 cores on package 0: 2 of its 4 cores are free "
              "(package 0 NUMA node 0: 2); held by l1 (CPUs 0-1,8-9); ask for at most 2, or leave "
              "the package open, or wait for or release a lease");
    EXPECT_EQ(given(test::dual_socket_numa(), ledger_of({exclusive_pool("0,8")}), request(1, 1)),
              "pool \"exclusive\" cannot give 1 core on package 1: it has none there; leave the "
              "package open, or enlarge the pool with cmkctl init");
}

TEST(Allocator, APoolWithoutCoresSaysSo) {
    EXPECT_EQ(
        given(test::single_socket_smt(), ledger_of({exclusive_pool("")}), request(1)),
        "pool \"exclusive\" cannot give 1 core: it has none; enlarge the pool with cmkctl init");
}

TEST(Allocator, ARefusalNamesThreeLeasesAndCountsTheOthers) {
    std::vector<Lease> leases;
    for (const char* cpu : {"0,8", "1,9", "2,10", "3,11", "4,12"})
        leases.push_back(lease_of("l" + std::to_string(leases.size()), "exclusive", cpu));
    const Ledger ledger = ledger_of({exclusive_pool("0-4,8-12")}, leases);
    EXPECT_NE(given(test::dual_socket_numa(), ledger, request(1))
                  .find("0 of its 5 cores are free (package 0 NUMA node 0: 0, package 1 NUMA node "
                        "1: 0); held by l0 (CPUs 0,8), l1 (CPUs 1,9), l2 (CPUs 2,10) and 2 more "
                        "leases; wait for or release a lease"),
              std::string::npos);
}

using Places = std::pair<std::size_t, std::size_t>;

/// How many NUMA nodes and caches the cores lie on.
Places places_of(const std::vector<const Core*>& cores) {
    std::set<unsigned> nodes;
    std::set<std::pair<unsigned, unsigned>> caches;
    for (const Core* core : cores) {
        nodes.insert(core->numa);
        caches.emplace(core->numa, core->llc);
    }
    return {nodes.size(), caches.size()};
}

/// The best there is, by trying every choice.
Places best_places(const std::vector<const Core*>& free, unsigned count) {
    Places best{SIZE_MAX, SIZE_MAX};
    for (unsigned long choice = 0; choice < 1UL << free.size(); ++choice) {
        if (std::bitset<16>(choice).count() != count) continue;
        std::vector<const Core*> cores;
        for (std::size_t i = 0; i < free.size(); ++i) {
            if ((choice >> i & 1) != 0) cores.push_back(free[i]);
        }
        best = std::min(best, places_of(cores));
    }
    return best;
}

TEST(Allocator, NoOtherChoiceHasFewerNodesOrCaches) {
    std::mt19937 random(20);
    for (int round = 0; round < 60; ++round) {
        const Topology topology = test::random_topology(random);
        std::vector<const Core*> free = topology.cores_within(topology.cpus());
        std::shuffle(free.begin(), free.end(), random);
        free.resize(std::min<std::size_t>(free.size(), 9));
        CpuSet cpus;
        for (const Core* core : free)
            cpus |= core->cpus;
        const Ledger ledger = ledger_of({exclusive_pool(cpus.to_cpulist())});
        for (unsigned count = 1; count <= free.size(); ++count) {
            const auto chosen = allocate(topology, ledger, request(count));
            ASSERT_TRUE(chosen) << chosen.error().message;
            const auto cores = topology.cores_within(*chosen);
            EXPECT_EQ(cores.size(), count);
            EXPECT_TRUE(cpus.contains_all(*chosen));
            EXPECT_EQ(places_of(cores), best_places(free, count)) << "round " << round;
        }
    }
}

}  // namespace
}  // namespace cmk
