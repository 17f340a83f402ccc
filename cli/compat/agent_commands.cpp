// SPDX-License-Identifier: Apache-2.0
// The original's subcommands where an agent serves: it keeps the books, and the shapes stay.
#include "base/text.h"
#include "cli/compat/agent_view.h"
#include "cli/compat/command_line.h"
#include "cli/compat/commands.h"
#include "cli/compat/init_request.h"
#include "cli/compat/node.h"
#include "cli/leased_program.h"
#include "confdir/checks.h"
#include "confdir/reports.h"

namespace cmk::compat {

namespace {

/// The original's rules, refusals and warnings, on the agent's machine.
Result<std::vector<PoolSpec>> specs_of(const Call& call, Client& agent,
                                       const InitRequest& request) {
    CMK_TRY_ASSIGN(const HostReport host, agent.call<HostReport>(wire::GetTopology{}));
    const CoreIds core_ids = lscpu_core_ids(host.topology);
    CMK_TRY_ASSIGN(const PoolPlan plan, plan_init(host.topology, core_ids, host.isolated, request));
    for (const std::string& warning : plan.warnings)
        call.log.warning(warning);
    std::vector<PoolSpec> specs;
    for (const Pool& pool : plan.pools)
        specs.push_back(pool.spec);
    return specs;
}

unsigned cores_of(const std::vector<PoolReport>& pools, const char* name) {
    for (const PoolReport& report : pools) {
        if (report.pool.spec.name == name) return report.cores;
    }
    return 0;
}

/// What differs from the pools that there are; "" for nothing.
std::string differences(const std::vector<PoolReport>& pools, const InitRequest& request) {
    std::vector<std::string> texts;
    const auto compare = [&](const char* name, unsigned wanted) {
        const unsigned cores = cores_of(pools, name);
        if (cores == wanted) return;
        texts.push_back(std::to_string(cores) + " " + name + " cores (" + std::to_string(wanted) +
                        " requested)");
    };
    compare(kExclusivePool, request.exclusive_cores);
    compare(kSharedPool, request.shared_cores);
    return join(texts, "; ");
}

Result<int> make_pools(const Call& call, Client& agent, const InitRequest& request) {
    CMK_TRY_ASSIGN(const auto specs, specs_of(call, agent, request));
    CMK_TRY_ASSIGN(const auto report, agent.call<ReconfigureReport>(
                                          wire::Reconfigure{.pools = specs, .compat = true}));
    for (const std::string& warning : report.warnings)
        call.log.warning(warning);
    for (const std::string& change : report.changes)
        call.log.info(change);
    return 0;
}

/// CMK_NUM_CORES counts for exclusive pools alone, the socket for these and `shared`.
Result<wire::Isolate> request_of(const Call& call, Client& agent) {
    wire::Isolate request{.what = {.pool = call.options().pool.value_or("")},
                          .pin = !call.options().no_affinity};
    CMK_TRY_ASSIGN(const auto pools, agent.call<std::vector<PoolReport>>(wire::ListPools{}));
    for (const PoolReport& report : pools) {
        const PoolSpec& spec = report.pool.spec;
        if (spec.name != request.what.pool || spec.kind != PoolKind::exclusive) continue;
        CMK_TRY_ASSIGN(request.what.cores, call.environment.num_cores());
        CMK_TRY_ASSIGN(request.what.package, call.options().socket());
    }
    return request;
}

int refuse_program(const Call& call, const Error& error) {
    call.log.error(error.message);
    return exit_code_of(error);
}

}  // namespace

Result<int> init_agent(const Call& call, Client& agent) {
    CMK_TRY_ASSIGN(const InitRequest request, init_request(call));
    CMK_TRY_ASSIGN(const auto pools, agent.call<std::vector<PoolReport>>(wire::ListPools{}));
    if (pools.empty()) return make_pools(call, agent, request);
    const std::string different = differences(pools, request);
    if (different.empty()) {
        call.log.info("Configuration directory already exists.");
        call.log.info("The agent is already initialised with these pools.");
        return 0;
    }
    return make_error(Errc::conflict,
                      different +
                          "; change them with cmk reconfigure, on the host or where "
                          "/run/cmk-admin is mounted");
}

Result<int> reconfigure_agent(const Call& call, Client& agent) {
    CMK_TRY_ASSIGN(const InitRequest request, init_request(call));
    return make_pools(call, agent, request);
}

Result<int> describe_agent(const Call& call, Client& agent) {
    CMK_TRY_ASSIGN(const AgentView view, view_agent(agent, call.options().conf_dir));
    CMK_TRY(print(describe_json(view.content)));
    return 0;
}

Result<int> isolate_by_agent(const Call& call, Client& agent) {
    const CommandLine line = command_line_for(call.invocation.command, call.invocation.args);
    const auto path = program_path(line);
    if (!path) return refuse_program(call, path.error());
    CMK_TRY_ASSIGN(wire::Isolate request, request_of(call, agent));
    CMK_TRY_ASSIGN(const Grant grant, agent.isolate(std::move(request)));
    if (call.options().no_affinity) call.log.info("Not setting affinity");
    for (const std::string& note : grant.notes)
        call.log.debug(note);
    export_grant(grant);
    return refuse_program(call, cannot_run(line, become(*path, line.words)));
}

Result<int> reconcile_agent(const Call& call, Client& agent) {
    return repeat(call, "reconciliation", [&]() -> Status {
        const auto report = agent.call<ReconcileReport>(wire::Reconcile{});
        // The agent hears of every end by itself; what a container may not ask is done anyway.
        if (!report && report.error().code != Errc::not_permitted) return report.error();
        for (const std::string& problem : report ? report->problems : std::vector<std::string>{})
            call.log.warning(problem);
        return print(reconcile_json({}));
    });
}

Result<int> report_agent(const Call& call, Client& agent) {
    return repeat(call, "node report", [&]() -> Status {
        CMK_TRY_ASSIGN(const AgentView view, view_agent(agent, call.options().conf_dir));
        // In a container the host's processes can be out of sight.
        const auto procfs = open_procfs(call);
        const Checks further =
            further_checks(view.content, view.topology, view.isolated,
                           procfs ? &procfs.value() : nullptr, Recorded::program);
        return print(node_report_json(view.content, view.topology, lscpu_core_ids(view.topology),
                                      view.isolated, further));
    });
}

}  // namespace cmk::compat
