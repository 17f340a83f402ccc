// SPDX-License-Identifier: Apache-2.0
#include "cli/drawing.h"
#include "cli/init_pools.h"
#include "cli/output_json.h"
#include "cli/output_plans.h"
#include "cli/topology_text.h"
#include "cli/verbs.h"
#include "core/pool_planner.h"
#include "ipc/errors.h"

namespace cmk {

namespace {

struct SimulateOptions {
    CommonOptions common = {};
    std::string topology = {};
    std::optional<unsigned> exclusive_cores = {};
    std::optional<unsigned> shared_cores = {};
    std::vector<std::string> pools = {};
    std::string isolcpus = {};
    std::vector<std::string> leases = {};
    std::string format = "text";
};

constexpr char kAbout[] =
    "Shows which pools and leases would come out on a machine that need not be there, by\n"
    "the agent's own rules and without an agent. Exits 3 when a lease would be refused.\n\n"
    "TOPOLOGY is a file that lstopo (XML) or \"lscpu -p\" wrote on the machine, or a\n"
    "description in hwloc's synthetic form, from the outside in: \"pack:2 [numa] l3:1\n"
    "core:4 pu:2\" are two sockets, each with a NUMA node and a cache, and with four cores\n"
    "of two CPUs.";
constexpr char kExamples[] =
    "  cmkctl simulate --topology 'pack:2 [numa] l3:1 core:8 pu:2' \\\n"
    "      --num-exclusive-cores 6 --lease exclusive:4 --lease exclusive:2\n"
    "  lscpu -p > machine.csv; cmkctl simulate --topology machine.csv \\\n"
    "      --pool fast:exclusive:2-5 --pool system:shared:rest --lease fast:2\n"
    "  cmkctl simulate --topology machine.xml --isolcpus 4-7 --format svg > machine.svg\n";

Syntax syntax_for(SimulateOptions& options) {
    return {.verb = "simulate",
            .about = kAbout,
            .examples = kExamples,
            .options = {
                {"--topology", "TOPOLOGY", "the machine, a file or a description; required",
                 &options.topology},
                {"--num-exclusive-cores", "N",
                 "make the pools of init, with so many exclusive\ncores (default: 4)",
                 NumberOption{&options.exclusive_cores, 0, kMaxCpus}},
                {"--num-shared-cores", "N", "and so many shared ones (default: 1)",
                 NumberOption{&options.shared_cores, 0, kMaxCpus}},
                {"--pool", "NAME:KIND:SIZE[:MODE]",
                 "or make this pool; can be given again. KIND:\n"
                 "exclusive or shared; SIZE: a number of cores, rest,\n"
                 "or CPUs such as 2-5,8; MODE: packed or spread",
                 ListOption{&options.pools}},
                {"--isolcpus", "CPUS", "CPUs isolated at boot, as isolcpus= takes them",
                 &options.isolcpus},
                {"--lease", "POOL:CORES[:SOCKET]", "then lease so many cores; can be given again",
                 ListOption{&options.leases}},
                {"--format", "FORMAT", "text, svg or html", &options.format, drawing_formats()}}};
}

Result<std::vector<PoolSpec>> wanted_pools(const SimulateOptions& options) {
    const bool is_counted = options.exclusive_cores || options.shared_cores;
    if (options.pools.empty()) {
        return init_pools({.exclusive_cores = options.exclusive_cores.value_or(kInitExclusiveCores),
                           .shared_cores = options.shared_cores.value_or(kInitSharedCores)});
    }
    if (is_counted) {
        return make_error(Errc::invalid_argument, "--pool and --num-...-cores exclude each other");
    }
    std::vector<PoolSpec> pools;
    for (const std::string& text : options.pools) {
        CMK_TRY_ASSIGN(PoolSpec pool, parse_pool(text));
        pools.push_back(std::move(pool));
    }
    return pools;
}

Result<SimulationRequest> request_for(const SimulateOptions& options) {
    if (options.topology.empty()) {
        return make_error(Errc::invalid_argument, "--topology is missing");
    }
    if (options.format != "text" && is_data(style_of(options.common).format)) {
        return make_error(Errc::invalid_argument, "--format " + options.format + " and -o " +
                                                      options.common.output +
                                                      " exclude each other");
    }
    SimulationRequest request;
    CMK_TRY_ASSIGN(request.topology, read_topology(options.topology));
    CMK_TRY_ASSIGN(request.isolated, parse_isolcpus("isolcpus=" + options.isolcpus,
                                                    request.topology.records().back().cpu));
    CMK_TRY_ASSIGN(request.pools, wanted_pools(options));
    for (const std::string& text : options.leases) {
        CMK_TRY_ASSIGN(AllocationRequest lease, parse_lease(text));
        request.leases.push_back(std::move(lease));
    }
    return request;
}

}  // namespace

int run_simulate(const std::vector<std::string>& arguments) {
    SimulateOptions options;
    if (const auto done =
            begin(syntax_for(options), arguments, options.common, exit_code::kUsage)) {
        return *done;
    }
    const auto request = request_for(options);
    if (!request) return fail(with_context(request.error(), "simulate"));
    const auto simulation = simulate(*request);
    if (!simulation) return fail(with_context(simulation.error(), "simulate"));
    if (options.format == "text") {
        const int printed = put(render_simulation(*simulation, style_of(options.common)));
        return simulation->refusals.empty() ? printed : exit_code::kNoCapacity;
    }
    for (const std::string& refusal : simulation->refusals)
        complain(refusal);
    const int printed = put(draw(simulation->machine, options.format));
    return simulation->refusals.empty() ? printed : exit_code::kNoCapacity;
}

}  // namespace cmk
