// SPDX-License-Identifier: Apache-2.0
#include "cli/simulation.h"

#include "base/text.h"
#include "core/pool_planner.h"

namespace cmk {

namespace {

Error bad_option(const char* option, const std::string& text, const std::string& expected) {
    return make_error(Errc::invalid_argument,
                      std::string(option) + ": expected " + expected + ", not " + quote(text));
}

Result<PoolSize> parse_size(const std::string& text) {
    if (text == "rest") return PoolSize(RestOfCores{});
    if (const auto count = parse_unsigned(text, kMaxCpus)) {
        return PoolSize(static_cast<unsigned>(*count));
    }
    CMK_TRY_ASSIGN(CpuSet cpus, CpuSet::parse(text));
    return PoolSize(std::move(cpus));
}

}  // namespace

Result<PoolSpec> parse_pool(const std::string& text) {
    const std::vector<std::string_view> parts = split(text, ':');
    const auto kind = parts.size() > 1 ? pool_kind_from(parts[1]) : std::nullopt;
    const auto mode = parts.size() > 3 ? pool_mode_from(parts[3]) : PoolMode::packed;
    if (parts.size() < 3 || parts.size() > 4 || !kind || !mode) {
        return bad_option("--pool", text,
                          "NAME:KIND:SIZE[:MODE] with KIND exclusive or shared, SIZE a number of "
                          "cores, rest, or CPUs, and MODE packed or spread");
    }
    auto size = parse_size(std::string(parts[2]));
    if (!size) return with_context(size.error(), "--pool " + quote(text));
    return PoolSpec{.name = std::string(parts[0]), .kind = *kind, .size = *size, .mode = *mode};
}

Result<AllocationRequest> parse_lease(const std::string& text) {
    const std::vector<std::string_view> parts = split(text, ':');
    AllocationRequest request{.pool = std::string(parts[0])};
    const auto cores = parts.size() > 1 ? parse_unsigned(parts[1], kMaxCpus) : 1;
    const auto package = parts.size() > 2 ? parse_unsigned(parts[2], UINT32_MAX) : 0;
    if (request.pool.empty() || parts.size() > 3 || !cores || !package) {
        return bad_option("--lease", text, "POOL:CORES or POOL:CORES:SOCKET");
    }
    request.cores = static_cast<unsigned>(*cores);
    if (parts.size() > 2) request.package = static_cast<unsigned>(*package);
    return request;
}

Result<Simulation> simulate(const SimulationRequest& request) {
    CMK_TRY(check_specs(request.pools));
    CMK_TRY_ASSIGN(PoolPlan plan, plan_pools(request.topology, request.isolated, request.pools));
    Ledger ledger;
    CMK_TRY(ledger.apply({.pools = std::move(plan.pools)}));
    Simulation simulation{.warnings = std::move(plan.warnings)};
    unsigned number = 0;
    for (const AllocationRequest& wanted : request.leases) {
        const std::string id = std::to_string(++number);
        const auto cpus = allocate(request.topology, ledger, wanted);
        if (!cpus) {
            simulation.refusals.push_back("Lease " + id + ": " + cpus.error().message);
            continue;
        }
        CMK_TRY(ledger.apply({.added = {{.id = id, .pool = wanted.pool, .cpus = *cpus}}}));
        simulation.machine.leases.push_back(*ledger.lease(id));
    }
    simulation.machine.host = {.topology = request.topology,
                               .isolated = request.isolated,
                               .mechanism = "nothing, this is a simulation"};
    simulation.machine.pools = report_pools(request.topology, ledger);
    return simulation;
}

}  // namespace cmk
