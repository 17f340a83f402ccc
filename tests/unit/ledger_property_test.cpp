// SPDX-License-Identifier: Apache-2.0
// Random grants, releases and reconfigurations keep what the ledger promises.
#include <gtest/gtest.h>

#include "core/allocator.h"
#include "core/plan.h"
#include "core/pool_planner.h"
#include "support/fake_cgroup_tree.h"
#include "support/ledgers.h"
#include "support/topologies.h"

namespace cmk {
namespace {

using test::FakeCgroupTree;

constexpr const char* kPools[] = {"exclusive", "other", "shared"};

/// A machine with its ledger and the groups that the plans made.
class World {
public:
    World(Topology topology, unsigned seed)
        : topology_(std::move(topology)), random_(seed), partitions_(seed % 2 == 0) {}

    void step() {
        switch (pick(0, 9)) {
            case 0: return reconfigure();
            case 1:
            case 2:
            case 3: return release();
            case 4: return replace();
            default: return grant();
        }
    }

    void check() const {
        CpuSet pooled;
        for (const Pool& pool : ledger_.pools()) {
            EXPECT_FALSE(pooled.intersects(pool.cpus));
            pooled |= pool.cpus;
            check_pool(pool);
        }
        EXPECT_TRUE(topology_.cpus().contains_all(pooled));
        EXPECT_EQ(tree_, FakeCgroupTree::from_ledger(ledger_));
    }

    unsigned granted() const { return granted_; }
    unsigned refused() const { return refused_; }
    unsigned reconfigured() const { return reconfigured_; }

private:
    unsigned pick(unsigned low, unsigned high) {
        return std::uniform_int_distribution<unsigned>(low, high)(random_);
    }

    void check_pool(const Pool& pool) const {
        CpuSet held;
        for (const auto& [id, lease] : ledger_.leases()) {
            if (lease.pool != pool.spec.name) continue;
            EXPECT_TRUE(pool.cpus.contains_all(lease.cpus)) << id;
            EXPECT_FALSE(lease.cpus.empty()) << id;
            if (pool.spec.kind == PoolKind::shared) continue;
            EXPECT_FALSE(held.intersects(lease.cpus)) << id;
            held |= lease.cpus;
            const auto cores = topology_.cores_within(lease.cpus);
            CpuSet whole;
            for (const Core* core : cores)
                whole |= core->cpus;
            EXPECT_EQ(whole, lease.cpus) << id;
        }
        EXPECT_EQ(ledger_.leased(pool.spec.name), held);
        EXPECT_EQ(ledger_.free(pool), pool.cpus - held);
    }

    /// Ledger and groups change together, or neither does.
    bool apply(const LedgerDelta& delta) {
        if (!ledger_.check(delta)) return false;
        const Plan plan = make_plan(ledger_, delta);
        const FakeCgroupTree before = tree_;
        Status done = tree_.apply(plan);
        EXPECT_TRUE(done) << done.error().message;
        FakeCgroupTree back = tree_;
        done = back.apply(inverse(plan));
        EXPECT_TRUE(done) << done.error().message;
        EXPECT_EQ(back, before);
        EXPECT_TRUE(ledger_.apply(delta));
        return true;
    }

    std::optional<Lease> new_lease(const Ledger& ledger, std::string id) {
        const char* pool = kPools[pick(0, 2)];
        const auto cpus = allocate(topology_, ledger, {.pool = pool, .cores = pick(1, 4)});
        if (!cpus) return std::nullopt;
        Lease lease =
            test::lease_of(std::move(id), pool, cpus->to_cpulist(), static_cast<Hold>(pick(0, 2)));
        lease.owner.pid = static_cast<int>(pick(1, 1000));
        if (pick(0, 1) == 0) lease.place = {PlaceKind::child, "container"};
        return lease;
    }

    void grant() {
        const auto lease = new_lease(ledger_, "l" + std::to_string(++ids_));
        ++(lease ? granted_ : refused_);
        if (!lease) return;
        // What the allocator gives, the ledger takes.
        EXPECT_TRUE(apply({.added = {*lease}}));
    }

    const Lease* any_lease() {
        if (ledger_.leases().empty()) return nullptr;
        const auto count = static_cast<unsigned>(ledger_.leases().size());
        return &std::next(ledger_.leases().begin(), pick(0, count - 1))->second;
    }

    void release() {
        const Lease* lease = any_lease();
        if (lease == nullptr) return;
        EXPECT_TRUE(apply({.removed = {lease->id}}));
    }

    void replace() {
        const Lease* lease = any_lease();
        if (lease == nullptr) return;
        Ledger without = ledger_;
        ASSERT_TRUE(without.apply({.removed = {lease->id}}));
        const auto added = new_lease(without, lease->id);
        if (!added) return;
        EXPECT_TRUE(apply({.removed = {lease->id}, .added = {*added}}));
    }

    void reconfigure() {
        std::vector<PoolSpec> specs;
        for (const char* name : kPools) {
            if (pick(0, 4) == 0) continue;
            PoolSpec spec;
            spec.name = name;
            spec.kind =
                pick(0, 4) == 0 || spec.name == "shared" ? PoolKind::shared : PoolKind::exclusive;
            spec.size = pick(0, 5);
            spec.mode = static_cast<PoolMode>(pick(0, 1));
            if (spec.name == "shared" && pick(0, 1) == 0) spec.size = RestOfCores{};
            specs.push_back(std::move(spec));
        }
        auto plan = plan_pools(topology_, {}, specs);
        for (Pool& pool : plan ? plan->pools : std::vector<Pool>{}) {
            // A pool that keeps its name keeps its kind of partition here.
            const bool partition =
                partitions_ && pool.spec.name != "shared" && pool.spec.kind == PoolKind::exclusive;
            if (partition) pool.partition = PartitionType::root;
        }
        if (plan && apply({.pools = plan->pools})) ++reconfigured_;
    }

    Topology topology_;
    std::mt19937 random_;
    bool partitions_;
    Ledger ledger_;
    FakeCgroupTree tree_;
    unsigned ids_ = 0;
    unsigned granted_ = 0;
    unsigned refused_ = 0;
    unsigned reconfigured_ = 0;
};

TEST(LedgerProperty, RandomChangesKeepTheInvariants) {
    std::mt19937 random(7);
    std::vector<Topology> topologies{
        test::single_socket_smt(), test::dual_socket_numa(), test::dual_socket_interleaved(),
        test::amd_nps4_split_l3(), test::hybrid(),           test::holes_offline()};
    for (int i = 0; i < 10; ++i)
        topologies.push_back(test::random_topology(random));
    unsigned granted = 0;
    unsigned refused = 0;
    unsigned reconfigured = 0;
    for (std::size_t i = 0; i < topologies.size() && !testing::Test::HasFailure(); ++i) {
        World world(topologies[i], static_cast<unsigned>(i));
        for (int step = 0; step < 400 && !testing::Test::HasFailure(); ++step) {
            SCOPED_TRACE("topology " + std::to_string(i) + " step " + std::to_string(step));
            world.step();
            world.check();
        }
        granted += world.granted();
        refused += world.refused();
        reconfigured += world.reconfigured();
    }
    // Each kind of step really happened.
    EXPECT_GT(granted, 500U);
    EXPECT_GT(refused, 500U);
    EXPECT_GT(reconfigured, 100U);
}

}  // namespace
}  // namespace cmk
