// SPDX-License-Identifier: Apache-2.0
// Random machines and requests: whatever plan_init() and make_layout() make of them keeps the
// invariants.
#include <gtest/gtest.h>

#include <random>

#include "confdir/init_plan.h"
#include "confdir/layout.h"
#include "confdir/list_name.h"

namespace cmk {
namespace {

class Machines {
public:
    explicit Machines(unsigned seed) : random_(seed) {}

    unsigned pick(unsigned low, unsigned high) {
        return std::uniform_int_distribution<unsigned>(low, high)(random_);
    }

    /// Up to 8 sockets of up to 64 cores of up to 4 threads, CPUs numbered in one of three ways,
    /// some offline.
    Topology topology() {
        const unsigned packages = pick(1, 8), cores = pick(1, 64), threads = pick(1, 4);
        const unsigned total = packages * cores, numbering = pick(0, 2), offline = pick(0, 20);
        std::vector<CpuRecord> records;
        for (unsigned core = 0; core < total; ++core) {
            for (unsigned thread = 0; thread < threads; ++thread) {
                // Offline CPUs, but never all of them.
                if (core > 0 && pick(0, 99) < offline) continue;
                const bool interleaved = numbering == 2;
                records.push_back(
                    {.cpu = numbering == 0 ? core * threads + thread : thread * total + core,
                     .core = core,
                     .package = interleaved ? core % packages : core / cores});
            }
        }
        return Topology::from_records(std::move(records)).value();
    }

    CpuSet isolated(const Topology& topology) {
        CpuSet cpus;
        if (pick(0, 2) == 0) return cpus;
        const unsigned percent = pick(0, 100);
        for (const Core& core : topology.cores()) {
            if (pick(0, 99) < percent) cpus |= core.cpus;
            if (pick(0, 30) == 0) cpus.remove(core.cpus.lowest());  // partly
        }
        return cpus;
    }

    InitRequest request(const Topology& topology, const CpuSet& isolated) {
        const auto cores = static_cast<unsigned>(topology.cores().size());
        const auto whole = static_cast<unsigned>(topology.cores_within(isolated).size());
        const unsigned most = whole > 0 ? whole : cores;
        InitRequest request;
        request.exclusive_cores = pick(0, most);
        request.shared_cores = pick(0, most - request.exclusive_cores);
        request.exclusive_mode = pick(0, 1) == 0 ? PoolMode::packed : PoolMode::spread;
        request.shared_mode = pick(0, 1) == 0 ? PoolMode::packed : PoolMode::spread;
        if (pick(0, 3) == 0) request.excl_non_isolcpus = std::to_string(pick(0, cores - 1));
        return request;
    }

private:
    std::mt19937 random_;
};

/// The CPUs of a list's name, which must be new.
CpuSet check_list(const std::string& name, const Topology& topology, CpuSet& seen) {
    CpuSet cpus;
    EXPECT_LE(name.size(), kMaxListName);
    const auto ids = parse_list_name(name);
    EXPECT_TRUE(ids) << ids.error().message;
    for (const unsigned cpu : *ids) {
        EXPECT_FALSE(seen.contains(cpu)) << "CPU " << cpu << " is in two lists";
        cpus.add(cpu);
        seen.add(cpu);
    }
    EXPECT_FALSE(cpus.empty());
    CpuSet whole;
    for (const Core* core : topology.cores_within(cpus))
        whole |= core->cpus;
    EXPECT_EQ(whole, cpus) << "part of a core in " << name;
    return cpus;
}

void check_pool(const PoolLayout& layout, const Pool& pool, const Topology& topology,
                CpuSet& seen) {
    EXPECT_EQ(layout.name, pool.spec.name);
    EXPECT_EQ(layout.sockets.size(), topology.packages().size());
    CpuSet all;
    for (const auto& [socket, names] : layout.sockets) {
        for (const std::string& name : names) {
            const CpuSet cpus = check_list(name, topology, seen);
            cpus.for_each(
                [&, at = socket](unsigned cpu) { EXPECT_EQ(topology.core_of(cpu)->package, at); });
            if (layout.exclusive) {
                EXPECT_EQ(topology.cores_within(cpus).size(), 1U) << name;
            }
            all |= cpus;
        }
    }
    EXPECT_EQ(all, pool.cpus) << layout.name;
}

TEST(ConfdirProperty, ListsAreDisjointWholeAndAllOfTheirPools) {
    unsigned made = 0;
    for (unsigned seed = 0; seed < 600; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Machines machines(seed);
        const Topology topology = machines.topology();
        const CpuSet isolated = machines.isolated(topology);
        const InitRequest request = machines.request(topology, isolated);
        const auto plan = plan_init(topology, lscpu_core_ids(topology), isolated, request);
        if (!plan) {
            EXPECT_NE(plan.error().code, Errc::internal);
            EXPECT_FALSE(plan.error().message.empty());
            continue;
        }
        ++made;
        const auto layout = make_layout(*plan, topology);
        ASSERT_EQ(layout.size(), plan->pools.size());
        CpuSet seen;
        for (std::size_t i = 0; i < layout.size(); ++i)
            check_pool(layout[i], plan->pools[i], topology, seen);
        EXPECT_EQ(topology.cores_within(plan->pools[0].cpus).size(), request.exclusive_cores);
        EXPECT_EQ(topology.cores_within(plan->pools[1].cpus).size(), request.shared_cores);
    }
    EXPECT_GT(made, 300U);
}

}  // namespace
}  // namespace cmk
