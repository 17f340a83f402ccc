// SPDX-License-Identifier: Apache-2.0
// The manager's part that changes the pools and the configuration.
#include <utility>

#include "agent/manager.h"
#include "agent/message_ids.h"
#include "base/text.h"
#include "core/mechanism.h"
#include "ipc/names.h"

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

Result<PoolPlan> Manager::plan(const std::vector<PoolSpec>& specs) const {
    CMK_TRY_ASSIGN(PoolPlan planned, plan_pools(host_.topology, host_.isolated, specs));
    CMK_TRY(choose_partitions(planned.pools, ports_.cgroups.abilities()));
    return planned;
}

Result<ReconfigureReport> Manager::apply_pools(const std::vector<PoolSpec>& specs, bool dry_run) {
    CMK_TRY_ASSIGN(PoolPlan planned, plan(specs));
    const std::vector<Pool> before = committer_.ledger().pools();
    ReconfigureReport report;
    report.changed = planned.pools != before;
    report.changes = describe_changes(before, planned.pools);
    report.warnings = planned.warnings;
    const LedgerDelta delta{.pools = planned.pools};
    Status done = dry_run ? committer_.ledger().check(delta) : Status{};
    if (!dry_run && report.changed) done = committer_.commit(delta);
    if (!done) return std::move(done).error();
    if (dry_run) {
        for (Pool& pool : planned.pools)
            report.pools.push_back({.pool = std::move(pool)});
        for (PoolReport& pool : report.pools) {
            pool.free = pool.pool.cpus;
            pool.cores = pool.free_cores = count_cores(host_.topology, pool.free);
        }
        add_kubelet_warning(report);
        return report;
    }
    take_pools(report.warnings);
    watch_partitions();
    retry_broken();
    report.pools = list_pools();
    add_kubelet_warning(report);
    return report;
}

/// What goes by the pools' names follows them.
void Manager::take_pools(std::vector<std::string>& warnings) {
    counters_.follow(committer_.ledger().pools());
    for (const std::string& warning : authorizer_.set_pools(committer_.ledger().pools()))
        warnings.push_back(warning);
}

Result<ReconfigureReport> Manager::reconfigure(const Peer& peer, const std::vector<PoolSpec>& specs,
                                               bool dry_run, bool compat) {
    CMK_TRY(authorizer_.may_administer(peer));
    const std::vector<Pool> before = committer_.ledger().pools();
    CMK_TRY_ASSIGN(ReconfigureReport report, apply_pools(specs, dry_run));
    if (dry_run) return report;
    // Written also when nothing changed: after it, a start gives these pools again.
    const std::string compat_dir =
        compat && config_.compat_dir.empty() ? kCompatDir : config_.compat_dir;
    if (Status written = ports_.write_dropin(specs, compat_dir); !written) {
        if (report.changed) CMK_TRY(committer_.commit({.pools = before}));
        std::vector<std::string> told_before;
        take_pools(told_before);
        watch_partitions();
        retry_broken();
        return with_context(std::move(written).error(), "the pools were not kept");
    }
    config_.pools = specs;
    config_.compat_dir = compat_dir;
    keep_config();
    offer_compat_socket(report.warnings);
    if (report.changed) {
        ++counters_.reconfigurations;
        ports_.log.info("pools changed on request", {{"MESSAGE_ID", message_id::kPoolsChanged}});
        emit({Event::Kind::pools_changed, {}, ""});
        serve_waiting();
    }
    return report;
}

Result<ReconfigureReport> Manager::reload(const Peer& peer) {
    CMK_TRY(authorizer_.may_administer(peer));
    auto report = read_again();
    counters_.configured = report.has_value();
    return report;
}

Result<ReconfigureReport> Manager::read_again() {
    CMK_TRY_ASSIGN(Config config, ports_.read_config());
    CMK_TRY_ASSIGN(ReconfigureReport report, apply_pools(config.pools, false));
    if (config.backend != config_.backend || config.cgroup_name != config_.cgroup_name) {
        report.warnings.push_back("[cgroup] takes effect when the agent starts next.");
    }
    config_ = std::move(config);
    config_problems_.clear();
    keep_config();
    offer_compat_socket(report.warnings);
    if (report.changed) {
        ++counters_.reconfigurations;
        emit({Event::Kind::pools_changed, {}, ""});
        serve_waiting();
    }
    return report;
}

/// For a start that finds a bad configuration.
void Manager::keep_config() {
    if (!config_problems_.empty()) return;
    const Status kept = ports_.store.save_config(dump_config(config_));
    if (!kept) ports_.log.warning(kept.error().message);
}

void Manager::offer_compat_socket(std::vector<std::string>& warnings) {
    const Status offered = ports_.offer_socket(config_.compat_dir);
    if (offered) return;
    warnings.push_back("There is no socket in " + config_.compat_dir + ": " +
                       offered.error().message);
    ports_.log.error(warnings.back());
}

void Manager::reload_on_signal() {
    const auto report = reload(Peer{});
    if (!report) {
        return ports_.log.error("the configuration was not reloaded, the old one stays in force: " +
                                    report.error().message,
                                {{"MESSAGE_ID", message_id::kConfigRefused}});
    }
    for (const std::string& warning : report->warnings)
        ports_.log.warning(warning);
    ports_.log.info(
        report->changed ? "configuration reloaded, pools changed" : "configuration reloaded",
        {{"MESSAGE_ID", message_id::kConfigReloaded}});
}

}  // namespace cmk
