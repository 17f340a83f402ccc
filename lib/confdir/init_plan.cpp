// SPDX-License-Identifier: Apache-2.0
#include "confdir/init_plan.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace cmk {

namespace {

using Cores = std::vector<const Core*>;

/// "[4, 5]"
std::string bracketed(const std::vector<unsigned>& ids) {
    std::vector<std::string> texts;
    for (const unsigned id : ids)
        texts.push_back(std::to_string(id));
    return "[" + join(texts, ", ") + "]";
}

Error bad_core_id(std::string_view piece) {
    return make_error(Errc::invalid_argument, "Invalid core ID: " + std::string(piece));
}

Result<std::vector<unsigned>> parse_core_ids(std::string_view text) {
    std::vector<unsigned> ids;
    for (const std::string_view piece : split(text, ',')) {
        const std::size_t dash = piece.find('-');
        const auto first = parse_unsigned(piece.substr(0, dash), kMaxCpus - 1);
        const auto last = dash == std::string_view::npos
                              ? first
                              : parse_unsigned(piece.substr(dash + 1), kMaxCpus - 1);
        if (!first || !last || *first > *last) return bad_core_id(piece);
        for (std::uint64_t id = *first; id <= *last; ++id)
            ids.push_back(static_cast<unsigned>(id));
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

/// Plans one machine for one request.
class InitPlanner {
public:
    InitPlanner(const Topology& topology, const CoreIds& core_ids, const CpuSet& isolated,
                const InitRequest& request)
        : topology_(topology),
          core_ids_(core_ids),
          isolated_(isolated),
          request_(request),
          isolated_cores_(topology.cores_within(isolated)) {}

    Result<PoolPlan> run();

private:
    Status check_isolated_demand() const;
    Status check_counts() const;
    Status check_count(const char* pool, unsigned wanted, std::size_t& free) const;
    Result<CpuSet> non_isolcpus() const;
    Status check_non_isolcpus(const std::vector<unsigned>& ids) const;
    Status check_infra(const CpuSet& non_isolcpus) const;
    std::vector<PoolSpec> counted_specs() const;
    Cores cores_with(unsigned id) const;
    CpuSet counted_cpus() const;
    std::vector<std::string> warnings(const PoolPlan& plan) const;
    std::uint64_t wanted() const {
        return std::uint64_t{request_.exclusive_cores} + request_.shared_cores;
    }

    const Topology& topology_;
    const CoreIds& core_ids_;
    const CpuSet& isolated_;
    const InitRequest& request_;
    const Cores isolated_cores_;  // the fully isolated ones
};

Result<PoolPlan> InitPlanner::run() {
    // The order of the checks decides which text is seen where several apply.
    CMK_TRY(check_isolated_demand());
    CMK_TRY(check_counts());
    CMK_TRY_ASSIGN(const CpuSet extra, non_isolcpus());
    CMK_TRY(check_infra(extra));
    std::vector<PoolSpec> specs = counted_specs();
    if (!extra.empty()) {
        specs.push_back({.name = kNonIsolcpusPool, .kind = PoolKind::exclusive, .size = extra});
    }
    specs.push_back({.name = kInfraPool, .kind = PoolKind::shared});
    CMK_TRY_ASSIGN(PoolPlan plan, plan_pools(topology_, isolated_, specs));
    plan.warnings = warnings(plan);
    return plan;
}

std::vector<PoolSpec> InitPlanner::counted_specs() const {
    return {{.name = kExclusivePool,
             .kind = PoolKind::exclusive,
             .size = request_.exclusive_cores,
             .mode = request_.exclusive_mode},
            {.name = kSharedPool,
             .kind = PoolKind::shared,
             .size = request_.shared_cores,
             .mode = request_.shared_mode}};
}

Status InitPlanner::check_isolated_demand() const {
    const std::size_t have = isolated_cores_.size();
    if (have == 0 || wanted() <= have) return {};
    return make_error(Errc::not_enough_cpus,
                      "Cannot use isolated cores for exclusive and shared cores: not enough "
                      "isolated cores " +
                          std::to_string(have) + " compared to requested " +
                          std::to_string(wanted()));
}

Status InitPlanner::check_count(const char* pool, unsigned count, std::size_t& free) const {
    if (count > 0 && free == 0) {
        return make_error(Errc::not_enough_cpus,
                          std::string("No more free cores left to assign for ") + pool);
    }
    if (count > free) {
        return make_error(Errc::not_enough_cpus, std::to_string(count) + " cores requested for " +
                                                     pool + ". Only " + std::to_string(free) +
                                                     " cores available");
    }
    free -= count;
    return {};
}

Status InitPlanner::check_counts() const {
    std::size_t free = isolated_cores_.empty() ? topology_.cores().size() : isolated_cores_.size();
    CMK_TRY(check_count(kExclusivePool, request_.exclusive_cores, free));
    return check_count(kSharedPool, request_.shared_cores, free);
}

Cores InitPlanner::cores_with(unsigned id) const {
    Cores cores;
    for (const Core& core : topology_.cores()) {
        if (core_ids_.at(core.index) == id) cores.push_back(&core);
    }
    return cores;
}

/// What exclusive and shared take, without regard to infra.
CpuSet InitPlanner::counted_cpus() const {
    CpuSet cpus;
    if (const auto plan = plan_pools(topology_, isolated_, counted_specs())) {
        for (const Pool& pool : plan->pools)
            cpus |= pool.cpus;
    }
    return cpus;
}

Status InitPlanner::check_non_isolcpus(const std::vector<unsigned>& ids) const {
    const CpuSet counted = counted_cpus();
    std::vector<unsigned> absent, assigned, isolated;
    for (const unsigned id : ids) {
        const Cores cores = cores_with(id);
        const auto any_in = [&](const CpuSet& cpus) {
            return std::any_of(cores.begin(), cores.end(),
                               [&](const Core* core) { return cpus.contains_all(core->cpus); });
        };
        if (cores.empty()) absent.push_back(id);
        if (any_in(counted)) assigned.push_back(id);
        if (any_in(isolated_)) isolated.push_back(id);
    }
    if (!absent.empty()) {
        return make_error(Errc::invalid_argument,
                          "Following physical cores not on system: " + bracketed(absent) +
                              "; you may be including logical CPUs of each core");
    }
    if (!assigned.empty()) {
        return make_error(Errc::invalid_argument,
                          "Core(s) have already been assigned to pool(s): " + bracketed(assigned) +
                              ", cannot add them to exclusive-non-isolcpus pool");
    }
    if (isolated.empty()) return {};
    return make_error(Errc::invalid_argument, "Isolated cores " + bracketed(isolated) +
                                                  " cannot be placed in exclusive-non-isolcpus "
                                                  "pool");
}

Result<CpuSet> InitPlanner::non_isolcpus() const {
    CpuSet cpus;
    if (request_.excl_non_isolcpus == "-1" || isolated_cores_.empty()) return cpus;
    CMK_TRY_ASSIGN(const auto ids, parse_core_ids(request_.excl_non_isolcpus));
    CMK_TRY(check_non_isolcpus(ids));
    for (const unsigned id : ids) {
        for (const Core* core : cores_with(id))
            cpus |= core->cpus;
    }
    return cpus;
}

Status InitPlanner::check_infra(const CpuSet& non_isolcpus) const {
    std::size_t taken = isolated_cores_.empty() ? wanted() : isolated_cores_.size();
    taken += topology_.cores_within(non_isolcpus).size();
    if (taken < topology_.cores().size()) return {};
    return make_error(Errc::not_enough_cpus, "No more free cores left to assign for infra");
}

std::vector<std::string> InitPlanner::warnings(const PoolPlan& plan) const {
    std::vector<std::string> texts;
    for (const Core& core : topology_.cores()) {
        if (core.cpus.intersects(isolated_) && !isolated_.contains_all(core.cpus)) {
            texts.push_back("Physical core " + std::to_string(core_ids_.at(core.index)) +
                            " is partially isolated: CPUs " + core.cpus.to_cpulist() +
                            ", of which " + (core.cpus & isolated_).to_cpulist());
        }
    }
    if (!isolated_cores_.empty() && isolated_cores_.size() != wanted()) {
        texts.push_back("Not all isolated cores will be used by exclusive and shared pools. " +
                        std::to_string(isolated_cores_.size()) + " isolated but only " +
                        std::to_string(wanted()) + " used");
    }
    if (request_.excl_non_isolcpus != "-1" && isolated_cores_.empty()) {
        texts.push_back("No core is isolated at boot: exclusive-non-isolcpus " +
                        quote(request_.excl_non_isolcpus) + " is ignored");
    }
    const Pool* shared = find_pool(plan.pools, kSharedPool);
    if (shared->boot_isolated && shared->cpus.count() > 1) {
        texts.push_back(
            "The shared pool lies on CPUs isolated at boot, where the kernel does not "
            "balance load: programs there must spread their threads themselves");
    }
    return texts;
}

}  // namespace

Result<PoolPlan> plan_init(const Topology& topology, const CoreIds& core_ids,
                           const CpuSet& isolated, const InitRequest& request) {
    return InitPlanner(topology, core_ids, isolated, request).run();
}

}  // namespace cmk
