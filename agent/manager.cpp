// SPDX-License-Identifier: Apache-2.0
#include "agent/manager.h"

#include <algorithm>

#include "agent/message_ids.h"
#include "agent/metrics.h"
#include "base/text.h"
#include "ipc/names.h"

namespace cmk {

namespace {

/// A group stays busy for a moment after its last process has gone.
constexpr std::uint64_t kEndRetryMs = 20;
constexpr int kEndRetries = 50;

std::string lease_key(const std::string& id) {
    return "lease/" + id;
}

std::string place_key(const std::string& id) {
    return "place/" + id;
}

}  // namespace

Manager::Manager(Ports ports, HostReport host, Config config)
    : ports_(std::move(ports)),
      host_(std::move(host)),
      config_(std::move(config)),
      executor_(ports_.cgroups, ports_.processes),
      committer_(executor_, ports_.store),
      audit_(ports_.cgroups, ports_.processes, committer_, executor_, ports_.store) {}

Status Manager::start(const std::string& boot_id) {
    look_for_offline();
    look_for_quiet();
    const Result<PoolPlan> planned = plan(config_.pools);
    CMK_TRY_ASSIGN(const RecoveryReport report,
                   recover(ports_.store, ports_.cgroups, ports_.processes, executor_, committer_,
                           audit_, planned, boot_id));
    for (const std::string& warning : planned ? planned->warnings : std::vector<std::string>{})
        ports_.log.warning(warning);
    counters_.started = ports_.now();
    std::vector<std::string> warnings;
    take_pools(warnings);
    for (const std::string& warning : warnings)
        ports_.log.warning(warning);
    tell_recovery(report);
    config_problems_ = std::exchange(host_.problems, report.audit.problems);
    for (const std::string& problem : config_problems_)
        ports_.log.error(problem, {{"MESSAGE_ID", message_id::kConfigRefused}});
    if (!report.kept_pools.empty()) {
        config_problems_.push_back(report.kept_pools);
        ports_.log.error(report.kept_pools, {{"MESSAGE_ID", message_id::kPoolsKept}});
    }
    counters_.configured = config_problems_.empty();
    move_stranded();
    keep_config();
    take_up_all();
    watch_partitions();
    retry_broken();
    return {};
}

void Manager::tell_recovery(const RecoveryReport& report) {
    for (const std::string& file : report.refused)
        ports_.log.warning(file, {{"MESSAGE_ID", message_id::kStateRefused}});
    for (const std::string& note : report.notes)
        ports_.log.warning(note, {{"MESSAGE_ID", message_id::kTakenUp}});
    ReconcileReport audit = report.audit;
    // A boot leaves nothing that could be damaged: what is made then is no repair.
    const auto made =
        report.is_first_of_boot ? std::exchange(audit.repaired, {}) : std::vector<std::string>{};
    for (const std::string& each : made)
        ports_.log.info(each);
    note_audit(audit);
    log_audit(audit);
}

void Manager::take_up_all() {
    std::vector<std::string> ids;
    for (const auto& [id, lease] : committer_.ledger().leases())
        ids.push_back(id);
    for (const std::string& id : ids) {
        take_up(id);
        if (const Lease* lease = committer_.ledger().lease(id)) watch_place(*lease);
    }
    ports_.fd_store.drop_rest();
}

/// Watches a lease of an earlier agent: by the pidfd that outlived it, else by what the state says.
void Manager::take_up(const std::string& id) {
    const Lease* lease = committer_.ledger().lease(id);
    if (lease == nullptr || lease->owner.pid == 0) return watch_any(id);
    if (UniqueFd kept = ports_.fd_store.take(id)) {
        const auto pid = ports_.processes.pid_of(kept.get());
        if (pid && *pid == lease->owner.pid) return watch(*lease, std::move(kept));
        ports_.fd_store.remove(id);
    }
    const auto owner = ports_.processes.open(lease->owner.pid, lease->owner.start_time);
    if (owner) ports_.fd_store.put(id, owner->get());
    watch_any(id);
}

Ticket Manager::isolate(Peer peer, IsolateOrder order, IsolateDone done) {
    if (const Status allowed = may_lease(peer, order.what.pool); !allowed) {
        counters_.refused(order.what.pool, allowed.error().code);
        emit({Event::Kind::lease_refused, {}, allowed.error().message});
        done(allowed.error());
        return 0;
    }
    const unsigned ahead = queue_.count(order.what.pool);
    Result<Grant> result = ahead > 0
                               ? make_error(Errc::not_enough_cpus,
                                            "pool " + order.what.pool + ": " +
                                                counted(ahead, "request waits", "requests wait") +
                                                " for cores already; use --wait to queue behind")
                               : grant(peer, order);
    if (!result && result.error().code == Errc::not_enough_cpus && order.wait_ms > 0) {
        return wait(std::move(peer), std::move(order), std::move(done));
    }
    if (!result) {
        counters_.refused(order.what.pool, result.error().code);
        emit({Event::Kind::lease_refused, {}, result.error().message});
    }
    done(std::move(result));
    return 0;
}

void Manager::watch(const Lease& lease, UniqueFd pidfd) {
    const Status watched = ports_.loop.watch_exit(lease_key(lease.id), std::move(pidfd),
                                                  [this, id = lease.id] { on_exit(id); });
    if (!watched) ports_.log.error(watched.error().message, {{"CMK_LEASE", lease.id}});
}

/// Watches the owner, or where it has ended any process that is left in the group: when that one
/// ends, the next is taken. So the lease lives as long as anyone is inside, without polling.
void Manager::watch_any(const std::string& id) {
    const Lease* lease = committer_.ledger().lease(id);
    if (lease == nullptr) return;
    if (lease->owner.pid != 0) {
        auto owner = ports_.processes.open(lease->owner.pid, lease->owner.start_time);
        if (owner) return watch(*lease, *std::move(owner));
    }
    if (lease->hold == Hold::cpuset) {
        const LeaseGroup group = group_of(*lease);
        const auto members = ports_.cgroups.members(group);
        for (const int pid : members ? *members : std::vector<int>{}) {
            auto member = ports_.processes.open(pid, 0);
            if (!member) continue;
            // Only now is the id held; it is the right process if it is still inside.
            const auto again = ports_.cgroups.members(group);
            if (!again || std::find(again->begin(), again->end(), pid) == again->end()) continue;
            return watch(*lease, *std::move(member));
        }
    }
    end_lease(id, "nobody is left in it");
}

/// The partition of a lease in place is its own; those of pools are watched with them.
void Manager::watch_place(const Lease& lease) {
    UniqueFd file = lease.is_in_place() ? ports_.cgroups.watch_lease(group_of(lease)) : UniqueFd{};
    if (!file) return;
    const Status watched = ports_.loop.watch_change(place_key(lease.id), std::move(file),
                                                    [this, id = lease.id] { on_place_change(id); });
    if (!watched) ports_.log.error(watched.error().message, {{"CMK_LEASE", lease.id}});
}

/// Also the end of a container is a change of its partitions.
void Manager::on_place_change(const std::string& id) {
    const Lease* lease = committer_.ledger().lease(id);
    if (lease == nullptr) return;
    if (!is_alive(*lease, ports_.cgroups, ports_.processes)) return watch_any(id);
    // Repairs change the file as well: what is known already is no reason for another.
    const auto found = executor_.read_back(*lease);
    if ((found ? *found : Grade::D) != lease->grade) on_break();
}

void Manager::on_exit(const std::string& id) {
    watch_any(id);
}

void Manager::end_lease(const std::string& id, const std::string& reason) {
    const Lease* found = committer_.ledger().lease(id);
    if (found == nullptr) return;
    const Lease lease = *found;
    if (const Status ended = committer_.commit({.removed = {id}}); !ended) {
        return retry_end(id, ended.error());
    }
    end_retries_.erase(id);
    ports_.loop.forget(lease_key(id));
    ports_.loop.forget(place_key(id));
    ports_.log.debug("lease ended", {{"MESSAGE_ID", message_id::kLeaseEnded},
                                     {"CMK_LEASE", id},
                                     {"CMK_POOL", lease.pool},
                                     {"CMK_REASON", reason}});
    emit({Event::Kind::lease_removed, lease, reason});
    serve_waiting();
}

void Manager::retry_end(const std::string& id, const Error& error) {
    if (++end_retries_[id] > kEndRetries) {
        end_retries_.erase(id);
        return ports_.log.error("lease cannot be ended: " + error.message,
                                {{"MESSAGE_ID", message_id::kLeaseStuck}, {"CMK_LEASE", id}});
    }
    const Status set =
        ports_.loop.set_timer(lease_key(id), kEndRetryMs, [this, id] { watch_any(id); });
    if (!set) ports_.log.error(set.error().message, {{"CMK_LEASE", id}});
}

Status Manager::release(const Peer& peer, const std::string& id) {
    const Lease* found = committer_.ledger().lease(id);
    if (found == nullptr || !authorizer_.may_see(peer, *found)) {
        return make_error(Errc::unknown_lease,
                          "there is no lease " + quote(id) + "; cmkctl leases lists them");
    }
    CMK_TRY(authorizer_.may_release(peer, *found));
    const Lease lease = *found;
    CMK_TRY(committer_.commit({.removed = {id}}));
    ports_.loop.forget(lease_key(id));
    ports_.loop.forget(place_key(id));
    ports_.log.info(
        "lease released",
        {{"MESSAGE_ID", message_id::kLeaseReleased}, {"CMK_LEASE", id}, {"CMK_POOL", lease.pool}});
    emit({Event::Kind::lease_removed, lease, "released on request"});
    serve_waiting();
    return {};
}

Status Manager::may_lease(const Peer& peer, const std::string& pool) const {
    const Pool* found = committer_.ledger().pool(pool);
    return found == nullptr ? Status{} : authorizer_.may_lease(peer, *found);
}

Status Manager::may_release(const Peer& peer, const std::string& lease) const {
    const Lease* found = committer_.ledger().lease(lease);
    return found == nullptr ? Status{} : authorizer_.may_release(peer, *found);
}

std::vector<PoolReport> Manager::list_pools() const {
    std::vector<PoolReport> reports = report_pools(host_.topology, committer_.ledger());
    for (PoolReport& report : reports)
        report.waiting = queue_.count(report.pool.spec.name);
    return reports;
}

HostReport Manager::describe_host(const Peer& peer) const {
    HostReport host = host_;
    if (!authorizer_.may_see_host(peer)) {
        host.problems.clear();
        return host;
    }
    host.problems.insert(host.problems.begin(), config_problems_.begin(), config_problems_.end());
    if (std::string overlap = kubelet_problem(); !overlap.empty()) {
        host.problems.push_back(std::move(overlap));
    }
    return host;
}

std::vector<Lease> Manager::list_leases(const Peer& peer) const {
    std::vector<Lease> leases;
    for (const auto& [id, lease] : committer_.ledger().leases()) {
        if (!authorizer_.may_see(peer, lease)) continue;
        leases.push_back(lease);
        // Since it asked, the process has become the program it leased for.
        const auto owner = ports_.processes.open(lease.owner.pid, lease.owner.start_time);
        if (!owner) continue;
        if (auto info = ports_.processes.inspect(owner->get())) {
            leases.back().owner.command = std::move(info->command);
        }
    }
    return leases;
}

Result<std::string> Manager::metrics(const Peer& peer) const {
    if (!authorizer_.may_see_host(peer)) {
        return make_error(Errc::not_permitted,
                          "metrics tell of all leases: give the container the observe socket "
                          "(mount /run/cmk-observe) in place of this one");
    }
    const HostReport host = describe_host(peer);
    const std::vector<PoolReport> pools = list_pools();
    return render_metrics(counters_, {.host = host,
                                      .pools = pools,
                                      .leases = committer_.ledger().leases(),
                                      .offline = offline_});
}

void Manager::emit(const Event& event) {
    if (event.kind == Event::Kind::lease_removed) {
        ++counters_.of(event.lease->pool).ended;
        ports_.fd_store.remove(event.lease->id);
    }
    for (const auto& listener : listeners_)
        listener(event);
}

}  // namespace cmk
