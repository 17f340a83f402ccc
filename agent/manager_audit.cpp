// SPDX-License-Identifier: Apache-2.0
// The manager's part that compares the machine with the books, and mends and watches it.
#include <algorithm>

#include "agent/manager.h"
#include "agent/message_ids.h"
#include "base/text.h"
#include "core/plan.h"

namespace cmk {

namespace {

/// How soon a partition that could not be mended is tried again.
constexpr std::uint64_t kRetryBrokenMs = 30'000;
constexpr char kPartitionsKey[] = "partitions";
/// The kernel does not announce everything that can go wrong with a partition.
constexpr std::uint64_t kAuditMs = 600'000;

}  // namespace

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
    look_for_quiet();
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
    look_for_quiet();
    for (const auto& [name, lease] : committer_.ledger().leases()) {
        if ((id.empty() || id == name) && authorizer_.may_see(peer, lease)) {
            verdicts.push_back(audit_.verify(lease));
        }
    }
    check_kubelet(verdicts);
    if (!id.empty() && verdicts.empty()) {
        return make_error(Errc::unknown_lease,
                          "there is no lease " + quote(id) + "; cmkctl leases lists them");
    }
    return verdicts;
}

}  // namespace cmk
