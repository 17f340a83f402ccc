// SPDX-License-Identifier: Apache-2.0
// The manager's part that changes or checks everything at once.
#include "agent/manager.h"
#include "base/text.h"
#include "core/pool_planner.h"

namespace cmk {

namespace {

std::string describe(const Pool& pool) {
    return pool.cpus.empty() ? "no CPU" : "CPUs " + pool.cpus.to_cpulist();
}

/// One sentence for each pool that differs.
std::vector<std::string> describe_changes(const std::vector<Pool>& before,
                                          const std::vector<Pool>& after) {
    std::vector<std::string> changes;
    for (const Pool& pool : after) {
        const Pool* old = find_pool(before, pool.spec.name);
        const std::string name = "Pool " + pool.spec.name;
        if (old == nullptr) {
            changes.push_back(name + " (" + std::string(to_text(pool.spec.kind)) + ") gets " +
                              describe(pool) + ".");
        } else if (old->cpus != pool.cpus) {
            changes.push_back(name + " changes from " + describe(*old) + " to " + describe(pool) +
                              ".");
        } else if (*old != pool) {
            changes.push_back(name + " keeps its CPUs and gets other settings.");
        }
    }
    for (const Pool& pool : before) {
        if (find_pool(after, pool.spec.name) == nullptr) {
            changes.push_back("Pool " + pool.spec.name + " (" + describe(pool) + ") goes away.");
        }
    }
    return changes;
}

}  // namespace

Result<ReconfigureReport> Manager::apply_pools(const std::vector<PoolSpec>& specs, bool dry_run) {
    CMK_TRY_ASSIGN(PoolPlan plan, plan_pools(host_.topology, host_.isolated, specs));
    const std::vector<Pool> before = committer_.ledger().pools();
    ReconfigureReport report;
    report.changed = plan.pools != before;
    report.changes = describe_changes(before, plan.pools);
    report.warnings = plan.warnings;
    const LedgerDelta delta{.pools = plan.pools};
    Status done = dry_run ? committer_.ledger().check(delta) : Status{};
    if (!dry_run && report.changed) done = committer_.commit(delta);
    if (!done) return std::move(done).error();
    if (dry_run) {
        for (Pool& pool : plan.pools)
            report.pools.push_back({.pool = std::move(pool)});
        for (PoolReport& pool : report.pools) {
            pool.free = pool.pool.cpus;
            pool.cores = pool.free_cores = count_cores(host_.topology, pool.free);
        }
        return report;
    }
    for (const std::string& warning : authorizer_.set_pools(committer_.ledger().pools())) {
        report.warnings.push_back(warning);
    }
    report.pools = list_pools();
    return report;
}

Result<ReconfigureReport> Manager::reconfigure(const Peer& peer, const std::vector<PoolSpec>& specs,
                                               bool dry_run) {
    CMK_TRY(authorizer_.may_administer(peer));
    const std::vector<Pool> before = committer_.ledger().pools();
    CMK_TRY_ASSIGN(ReconfigureReport report, apply_pools(specs, dry_run));
    if (dry_run) return report;
    // Written also when nothing changed: after it, a start gives these pools again.
    if (Status written = ports_.write_pools(specs); !written) {
        if (report.changed) CMK_TRY(committer_.commit({.pools = before}));
        (void)authorizer_.set_pools(before);
        return with_context(std::move(written).error(), "the pools were not kept");
    }
    config_.pools = specs;
    if (report.changed) {
        ports_.log.info("pools changed on request");
        emit({Event::Kind::pools_changed, {}, ""});
        serve_waiting();
    }
    return report;
}

Result<ReconfigureReport> Manager::reload(const Peer& peer) {
    CMK_TRY(authorizer_.may_administer(peer));
    CMK_TRY_ASSIGN(Config config, ports_.read_config());
    CMK_TRY_ASSIGN(ReconfigureReport report, apply_pools(config.pools, false));
    if (config.backend != config_.backend || config.cgroup_name != config_.cgroup_name) {
        report.warnings.push_back("[cgroup] takes effect when the agent starts next.");
    }
    config_ = std::move(config);
    if (report.changed) {
        emit({Event::Kind::pools_changed, {}, ""});
        serve_waiting();
    }
    return report;
}

void Manager::reload_on_signal() {
    const auto report = reload(Peer{});
    if (!report) {
        return ports_.log.error("the configuration was not reloaded, the old one stays in force: " +
                                report.error().message);
    }
    for (const std::string& warning : report->warnings)
        ports_.log.warning(warning);
    ports_.log.info(report->changed ? "configuration reloaded, pools changed"
                                    : "configuration reloaded");
}

Result<ReconcileReport> Manager::reconcile(const Peer& peer) {
    CMK_TRY(authorizer_.may_administer(peer));
    return repair();
}

void Manager::machine_changed() {
    const ReconcileReport report = repair();
    for (const std::string& done : report.repaired)
        ports_.log.warning("CPUs came or went: " + done);
    for (const std::string& problem : report.problems)
        ports_.log.error("CPUs came or went: " + problem);
}

ReconcileReport Manager::repair() {
    const auto before = committer_.ledger().leases();
    ReconcileReport report = audit_.run();
    for (const auto& [id, lease] : before) {
        if (committer_.ledger().lease(id) != nullptr) continue;
        ports_.loop.forget("lease/" + id);
        emit({Event::Kind::lease_removed, lease, "found ended by reconcile"});
    }
    for (const auto& [id, lease] : committer_.ledger().leases()) {
        if (before.find(id) == before.end()) emit({Event::Kind::lease_added, lease, ""});
    }
    std::vector<std::string> ids;
    for (const auto& [id, lease] : committer_.ledger().leases())
        ids.push_back(id);
    for (const std::string& id : ids)
        watch_any(id);
    serve_waiting();
    return report;
}

Result<std::vector<LeaseVerdict>> Manager::verify(const Peer& peer, const std::string& id) {
    std::vector<LeaseVerdict> verdicts;
    for (const auto& [name, lease] : committer_.ledger().leases()) {
        if ((id.empty() || id == name) && authorizer_.may_see(peer, lease)) {
            verdicts.push_back(audit_.verify(lease));
        }
    }
    if (!id.empty() && verdicts.empty()) {
        return make_error(Errc::unknown_lease,
                          "there is no lease " + quote(id) + "; cmkctl leases lists them");
    }
    return verdicts;
}

}  // namespace cmk
