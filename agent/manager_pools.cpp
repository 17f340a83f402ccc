// SPDX-License-Identifier: Apache-2.0
// The manager's part that changes or checks everything at once.
#include <algorithm>
#include <utility>

#include "agent/manager.h"
#include "agent/message_ids.h"
#include "base/text.h"
#include "core/plan.h"
#include "ipc/names.h"

namespace cmk {

namespace {

/// How soon a partition that could not be mended is tried again.
constexpr std::uint64_t kRetryBrokenMs = 30'000;
constexpr char kPartitionsKey[] = "partitions";
/// The kernel does not announce everything that can go wrong with a partition.
constexpr std::uint64_t kAuditMs = 600'000;

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
        return report;
    }
    if (report.changed) ++counters_.reconfigurations;
    take_pools(report.warnings);
    watch_partitions();
    retry_broken();
    report.pools = list_pools();
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
        return with_context(std::move(written).error(), "the pools were not kept");
    }
    config_.pools = specs;
    config_.compat_dir = compat_dir;
    keep_config();
    offer_compat_socket(report.warnings);
    if (report.changed) {
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

Result<ReconcileReport> Manager::reconcile(const Peer& peer) {
    CMK_TRY(authorizer_.may_administer(peer));
    return repair();
}

/// Mends, and looks anew at whom leases and requests wait for.
ReconcileReport Manager::repair() {
    ReconcileReport report = mend();
    for (const auto& [id, lease] : std::map(committer_.ledger().leases()))
        watch_any(id);
    serve_waiting();
    return report;
}

/// Runs the audit and tells of what it changed.
ReconcileReport Manager::mend() {
    const auto before = committer_.ledger().leases();
    ReconcileReport report = audit_.run();
    note_audit(report);
    for (const auto& [id, lease] : before) {
        if (committer_.ledger().lease(id) != nullptr) continue;
        ports_.loop.forget("lease/" + id);
        ports_.loop.forget("place/" + id);
        emit({Event::Kind::lease_removed, lease, "found ended by reconcile"});
    }
    const auto after = committer_.ledger().leases();
    for (const auto& [id, lease] : after) {
        const auto old = before.find(id);
        if (old == before.end()) {
            emit({Event::Kind::lease_added, lease, ""});
        } else if (old->second.grade != lease.grade) {
            const bool rose = is_at_least(lease.grade, old->second.grade);
            Counters::OfPool& counted = counters_.of(lease.pool);
            ++(rose ? counted.strengthened : counted.weakened);
            const std::string was = "was " + std::string(to_text(old->second.grade));
            ports_.log.warning(
                "the grade of a lease is " + std::string(to_text(lease.grade)) + ", it " + was,
                {{"MESSAGE_ID", rose ? message_id::kGradeRose : message_id::kGradeDropped},
                 {"CMK_LEASE", id},
                 {"CMK_POOL", lease.pool},
                 {"CMK_GRADE", to_text(lease.grade)}});
            emit({Event::Kind::grade_changed, lease, was});
        }
    }
    host_.problems = report.problems;
    watch_partitions();
    retry_broken();
    return report;
}

void Manager::note_audit(const ReconcileReport& report) {
    ++counters_.audits;
    counters_.last_audit = ports_.now();
    counters_.repairs += report.repaired.size();
    if (audit_.lost().empty()) return;
    ports_.log.warning(
        "CPUs were found lost: online, but nobody could use them",
        {{"MESSAGE_ID", message_id::kCpusLost}, {"CMK_CPUS", audit_.lost().to_cpulist()}});
}

void Manager::log_audit(const ReconcileReport& report, const std::string& when) const {
    for (const std::string& done : report.repaired)
        ports_.log.warning(when + done, {{"MESSAGE_ID", message_id::kRepaired}});
    for (const std::string& problem : report.problems)
        ports_.log.error(when + problem, {{"MESSAGE_ID", message_id::kNotRepaired}});
}

void Manager::watch_partitions() {
    for (const std::string& key : watched_)
        ports_.loop.forget(key);
    watched_.clear();
    unsigned number = 0;
    for (UniqueFd& file : ports_.cgroups.watch_homes())
        watch_file("home/" + std::to_string(number++), std::move(file));
    for (const Pool& pool : committer_.ledger().pools()) {
        if (pool.partition == PartitionType::member) continue;
        watch_file("partition/" + pool.spec.name, ports_.cgroups.watch_partition(pool.spec.name));
    }
}

void Manager::watch_file(const std::string& key, UniqueFd file) {
    if (!file) return;
    const Status watched =
        ports_.loop.watch_change(key, std::move(file), [this] { on_partition_change(); });
    watched_.insert(key);
    if (!watched) ports_.log.error(watched.error().message);
}

bool Manager::is_broken() const {
    if (!ports_.cgroups.home_problem().empty()) return true;
    const auto pools = standing_pools(committer_.ledger());
    const bool is_pool_broken = std::any_of(pools.begin(), pools.end(), [&](const Pool& pool) {
        const PoolState state = ports_.cgroups.pool_state(pool.spec.name);
        return !pool.cpus.empty() && (!state.valid || state.partition != pool.partition);
    });
    return is_pool_broken || audit_.has_weak_place();
}

/// The kernel also announces what the agent itself does, repairs that fail included.
void Manager::on_partition_change() {
    if (is_broken() != broken_) on_break();
}

void Manager::on_break() {
    log_audit(repair());
}

/// While one is broken, a timer looks whether what stood in the way has gone; a slow one looks
/// after those that hold. Without partitions there is none.
void Manager::retry_broken() {
    broken_ = ports_.cgroups.has_groups() && is_broken();
    const bool any = !reserved_by(committer_.ledger().pools()).empty();
    if (!broken_ && !any) return ports_.loop.forget(kPartitionsKey);
    const std::uint64_t delay = broken_ ? kRetryBrokenMs : kAuditMs;
    const Status set = ports_.loop.set_timer(kPartitionsKey, delay, [this] {
        // What stays broken was told when it broke.
        log_audit({.repaired = repair().repaired});
    });
    if (!set) ports_.log.error(set.error().message);
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
