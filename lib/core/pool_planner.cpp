// SPDX-License-Identifier: Apache-2.0
#include "core/pool_planner.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "core/cpu_text.h"

namespace cmk {

namespace {

using Cores = std::vector<const Core*>;

std::string cores_text(std::size_t count) {
    return counted(count, "core", "cores");
}

CpuSet cpus_of(const Cores& cores) {
    CpuSet cpus;
    for (const Core* core : cores)
        cpus |= core->cpus;
    return cpus;
}

Error pool_error(Errc code, const PoolSpec& spec, const std::string& what) {
    return make_error(code, "pool " + quote(spec.name) + " " + what);
}

/// Round robin: the first core of each package, then the second of each.
Cores spread(const Topology& topology, const Cores& cores) {
    std::vector<Cores> by_package;
    std::size_t longest = 0;
    for (const unsigned package : topology.packages()) {
        by_package.emplace_back();
        for (const Core* core : cores) {
            if (core->package == package) by_package.back().push_back(core);
        }
        longest = std::max(longest, by_package.back().size());
    }
    Cores order;
    for (std::size_t i = 0; i < longest; ++i) {
        for (const Cores& list : by_package) {
            if (i < list.size()) order.push_back(list[i]);
        }
    }
    return order;
}

/// Takes cores for one pool after the other; what it took is in `taken_`.
class Planner {
public:
    Planner(const Topology& topology, const CpuSet& isolated, const std::vector<PoolSpec>& specs);

    Result<PoolPlan> run();

private:
    Status take_explicit(Pool& pool);
    Status check_whole_cores(const PoolSpec& spec, const CpuSet& cpus) const;
    Status check_isolated_demand() const;
    Status take_counted(PoolKind kind);
    Status take_count(Pool& pool, unsigned count);
    Status take_rest();
    Status check_outside_core() const;
    void warn_partly_isolated(const CpuSet& isolated);
    void warn_unused_isolated();
    void warn_unbalanced();
    void warn_not_preferred(const PoolSpec& spec, const Cores& cores);
    Cores untaken(const Cores& cores) const;
    std::vector<std::string> counted_names() const;

    const Topology& topology_;
    Cores isolated_;  // fully isolated cores
    CpuSet isolated_cpus_;
    Cores candidates_;  // for counted pools, in packed order
    Cores spread_candidates_;
    CpuSet taken_;
    PoolPlan plan_;
};

Planner::Planner(const Topology& topology, const CpuSet& isolated,
                 const std::vector<PoolSpec>& specs)
    : topology_(topology),
      isolated_(topology.cores_within(isolated)),
      isolated_cpus_(cpus_of(isolated_)),
      candidates_(isolated_.empty() ? topology.cores_within(topology.cpus()) : isolated_),
      spread_candidates_(spread(topology, candidates_)) {
    for (const PoolSpec& spec : specs)
        plan_.pools.push_back(Pool{.spec = spec, .cpus = {}, .boot_isolated = false});
    warn_partly_isolated(isolated);
}

Result<PoolPlan> Planner::run() {
    for (Pool& pool : plan_.pools)
        CMK_TRY(take_explicit(pool));
    CMK_TRY(check_isolated_demand());
    CMK_TRY(take_counted(PoolKind::exclusive));
    CMK_TRY(take_counted(PoolKind::shared));
    CMK_TRY(take_rest());
    CMK_TRY(check_outside_core());
    for (Pool& pool : plan_.pools)
        pool.boot_isolated = !pool.cpus.empty() && isolated_cpus_.contains_all(pool.cpus);
    warn_unused_isolated();
    warn_unbalanced();
    return std::move(plan_);
}

Status Planner::check_whole_cores(const PoolSpec& spec, const CpuSet& cpus) const {
    if (!topology_.cpus().contains_all(cpus)) {
        return pool_error(Errc::invalid_argument, spec,
                          "names " + cpus_text(cpus - topology_.cpus()) +
                              ", but only these are online: " + topology_.cpus().to_cpulist());
    }
    const CpuSet split = cpus - cpus_of(topology_.cores_within(cpus));
    if (split.empty()) return {};
    CpuSet siblings;
    split.for_each([&](unsigned cpu) { siblings |= topology_.core_of(cpu)->cpus; });
    return pool_error(Errc::invalid_argument, spec,
                      "takes part of a core with " + cpus_text(split) + "; add " +
                          cpus_text(siblings - cpus) + " or leave it out");
}

Status Planner::take_explicit(Pool& pool) {
    const CpuSet* cpus = std::get_if<CpuSet>(&pool.spec.size);
    if (cpus == nullptr) return {};
    CMK_TRY(check_whole_cores(pool.spec, *cpus));
    if (taken_.intersects(*cpus)) {
        const auto other = std::find_if(plan_.pools.begin(), plan_.pools.end(),
                                        [&](const Pool& p) { return p.cpus.intersects(*cpus); });
        return pool_error(
            Errc::invalid_argument, pool.spec,
            "and pool " + quote(other->spec.name) + " both name " + cpus_text(*cpus & other->cpus));
    }
    // Boot-isolated CPUs need another kind of partition than the others.
    if (cpus->intersects(isolated_cpus_) && !isolated_cpus_.contains_all(*cpus)) {
        return pool_error(Errc::invalid_argument, pool.spec,
                          "mixes CPUs isolated at boot (" + (*cpus & isolated_cpus_).to_cpulist() +
                              ") with others (" + (*cpus - isolated_cpus_).to_cpulist() +
                              "); make two pools of them or change isolcpus=");
    }
    pool.cpus = *cpus;
    taken_ |= *cpus;
    return {};
}

Cores Planner::untaken(const Cores& cores) const {
    Cores free;
    for (const Core* core : cores) {
        if (!taken_.contains(core->cpus.lowest())) free.push_back(core);
    }
    return free;
}

std::vector<std::string> Planner::counted_names() const {
    std::vector<std::string> names;
    for (const Pool& pool : plan_.pools) {
        if (std::holds_alternative<unsigned>(pool.spec.size))
            names.push_back(quote(pool.spec.name));
    }
    return names;
}

/// With isolcpus= all counted pools together must fit into the isolated cores.
Status Planner::check_isolated_demand() const {
    if (isolated_.empty()) return {};
    std::uint64_t wanted = 0;
    for (const Pool& pool : plan_.pools) {
        if (const auto* count = std::get_if<unsigned>(&pool.spec.size)) wanted += *count;
    }
    const std::size_t left = untaken(isolated_).size();
    if (wanted <= left) return {};
    const bool all = left == isolated_.size();
    return make_error(Errc::not_enough_cpus,
                      cores_text(wanted) + " wanted for " + join(counted_names(), ", ") +
                          ", but only " + cores_text(left) + (left == 1 ? " is" : " are") +
                          (all ? "" : " left of those") + " isolated at boot (" +
                          isolated_cpus_.to_cpulist() +
                          "); ask for fewer, isolate more whole cores with isolcpus=, or name a "
                          "pool's CPUs");
}

Status Planner::take_counted(PoolKind kind) {
    for (Pool& pool : plan_.pools) {
        const auto* count = std::get_if<unsigned>(&pool.spec.size);
        if (count != nullptr && pool.spec.kind == kind) CMK_TRY(take_count(pool, *count));
    }
    return {};
}

Status Planner::take_count(Pool& pool, unsigned count) {
    Cores free = untaken(pool.spec.mode == PoolMode::spread ? spread_candidates_ : candidates_);
    if (free.size() < count) {
        return pool_error(Errc::not_enough_cpus, pool.spec,
                          "wants " + cores_text(count) + ", but only " +
                              std::to_string(free.size()) + " of " +
                              cores_text(candidates_.size()) + (free.size() == 1 ? " is" : " are") +
                              " left after the pools before it; ask for fewer");
    }
    std::stable_partition(free.begin(), free.end(), [&](const Core* core) {
        return pool.spec.prefer.contains_all(core->cpus);
    });
    free.resize(count);
    warn_not_preferred(pool.spec, free);
    pool.cpus = cpus_of(free);
    taken_ |= pool.cpus;
    return {};
}

Status Planner::take_rest() {
    const auto pool = std::find_if(plan_.pools.begin(), plan_.pools.end(), [](const Pool& p) {
        return std::holds_alternative<RestOfCores>(p.spec.size);
    });
    if (pool == plan_.pools.end()) return {};
    const CpuSet others = topology_.cpus() - isolated_cpus_;
    pool->cpus = others - taken_;
    taken_ |= pool->cpus;
    if (!pool->cpus.empty()) return {};
    const std::string outside = isolated_.empty() ? "" : " that is not isolated at boot";
    return pool_error(Errc::not_enough_cpus, pool->spec,
                      "wants the rest of the cores, but no core" + outside +
                          " is left after the other pools; leave it at least one");
}

Status Planner::check_outside_core() const {
    CpuSet outside = topology_.cpus();
    for (const Pool& pool : plan_.pools) {
        if (pool.spec.kind == PoolKind::exclusive) outside -= pool.cpus;
    }
    if (!outside.empty()) return {};
    return make_error(Errc::not_enough_cpus,
                      "exclusive pools want all " + cores_text(topology_.cores().size()) +
                          " of the machine; leave at least one core to the system");
}

void Planner::warn_partly_isolated(const CpuSet& isolated) {
    const CpuSet named = (isolated & topology_.cpus()) - isolated_cpus_;
    if (named.empty()) return;
    CpuSet whole;
    named.for_each([&](unsigned cpu) { whole |= topology_.core_of(cpu)->cpus; });
    plan_.warnings.push_back("Only part of " + cores_text(topology_.cores_within(whole).size()) +
                             " is isolated at boot (" + cpus_text(named) + " without " +
                             (whole - named).to_cpulist() +
                             "), which counts as not isolated; name whole cores in isolcpus=.");
}

void Planner::warn_unused_isolated() {
    const Cores unused = untaken(isolated_);
    if (unused.empty()) return;
    plan_.warnings.push_back("No pool uses " + cores_text(unused.size()) + " of the " +
                             std::to_string(isolated_.size()) + " isolated at boot (" +
                             cpus_text(cpus_of(unused)) +
                             "); enlarge a pool or take them out of isolcpus=.");
}

void Planner::warn_not_preferred(const PoolSpec& spec, const Cores& cores) {
    if (spec.prefer.empty()) return;
    Cores others;
    for (const Core* core : cores) {
        if (!spec.prefer.contains_all(core->cpus)) others.push_back(core);
    }
    if (others.empty()) return;
    plan_.warnings.push_back("Pool " + quote(spec.name) + " prefers " + cpus_text(spec.prefer) +
                             ", which has too few free whole cores; it also takes " +
                             cpus_text(cpus_of(others)) + ".");
}

void Planner::warn_unbalanced() {
    for (const Pool& pool : plan_.pools) {
        if (pool.spec.kind != PoolKind::shared || !pool.boot_isolated || pool.cpus.count() < 2) {
            continue;
        }
        plan_.warnings.push_back("Shared pool " + quote(pool.spec.name) +
                                 " lies on CPUs isolated at boot, where the kernel does not "
                                 "balance load: programs there must spread their threads "
                                 "themselves.");
    }
}

}  // namespace

Result<PoolPlan> plan_pools(const Topology& topology, const CpuSet& isolated,
                            const std::vector<PoolSpec>& specs) {
    CMK_TRY(check_specs(specs));
    return Planner(topology, isolated, specs).run();
}

}  // namespace cmk
