// SPDX-License-Identifier: Apache-2.0
#include "agent/manager.h"

#include <algorithm>
#include <cerrno>

#include "agent/recovery.h"
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

Hold hold_for(const Pool& pool, const Cgroups& cgroups, bool pin) {
    if (!pin) return Hold::none;
    const bool groups = cgroups.has_groups() && pool.spec.isolation != Isolation::affinity;
    return groups ? Hold::cpuset : Hold::affinity;
}

/// What the mechanism should give; what it does give is read back after it was applied.
Grade expected_grade(const Lease& lease, const Pool& pool, const Abilities& abilities) {
    if (lease.hold != Hold::cpuset) return Grade::D;
    if (!lease.is_in_place()) {
        return pool.partition == PartitionType::member ? Grade::C : Grade::B;
    }
    const bool partition =
        lease_edit(EditKind::make_lease, lease, {pool}).partition != PartitionType::member;
    return partition && abilities.remote_partitions ? Grade::B : Grade::C;
}

Error caller_ended() {
    return make_error(Errc::unavailable, "the calling process has ended");
}

/// Fail closed: a pool that wants more than this host gives leases nothing.
Status check_grade(const Pool& pool, Grade grade, const std::string& mechanism) {
    if (is_at_least(grade, pool.spec.require_grade)) return {};
    return make_error(Errc::not_permitted, "pool " + pool.spec.name + " requires grade " +
                                               std::string(to_text(pool.spec.require_grade)) +
                                               ", but this host can hold leases by " + mechanism +
                                               " only (grade " + std::string(to_text(grade)) +
                                               "); lower require_grade of the pool");
}

std::string note_on(const Lease& lease, PartitionType partition) {
    const bool exclusive = is_at_least(lease.grade, Grade::B);
    switch (lease.hold) {
        case Hold::cpuset:
            if (exclusive && partition == PartitionType::isolated && lease.cpus.count() > 1) {
                return "Held by an isolated partition: no other program can run on its CPUs, and "
                       "the kernel does not balance load between them, so threads stay where "
                       "they start unless the program places them (grade B).";
            }
            if (exclusive && lease.place.kind == PlaceKind::child) {
                return "Held by an exclusive partition inside its container: no other program, of "
                       "this container neither, can run on its CPUs (grade B).";
            }
            if (exclusive) {
                return "Held by an exclusive partition: no other program can run on its CPUs "
                       "(grade B).";
            }
            return "Held by a cpuset: the program stays on its CPUs, other programs are not kept "
                   "off them (grade C).";
        case Hold::affinity:
            return "Held by CPU affinity alone: the program can leave its CPUs, others can use "
                   "them, and only its first process holds the lease (grade D).";
        case Hold::none:
            return "Not pinned: the program has to move itself to the CPUs in CMK_CPUS_ASSIGNED; "
                   "only its first process holds the lease (grade D).";
    }
    return "";
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
    const Result<PoolPlan> planned = plan(config_.pools);
    CMK_TRY_ASSIGN(const RecoveryReport report,
                   recover(ports_.store, ports_.cgroups, ports_.processes, executor_, committer_,
                           audit_, planned, boot_id));
    for (const std::string& warning : planned ? planned->warnings : std::vector<std::string>{})
        ports_.log.warning(warning);
    for (const std::string& warning : authorizer_.set_pools(committer_.ledger().pools())) {
        ports_.log.warning(warning);
    }
    for (const std::string& note : report.notes)
        ports_.log.warning(note);
    for (const std::string& done : report.audit.repaired)
        ports_.log.info(done);
    for (const std::string& problem : report.audit.problems)
        ports_.log.error(problem);
    config_problems_ = std::exchange(host_.problems, report.audit.problems);
    if (!report.kept_pools.empty()) config_problems_.push_back(report.kept_pools);
    for (const std::string& problem : config_problems_)
        ports_.log.error(problem);
    move_stranded();
    keep_config();
    take_up_all();
    watch_partitions();
    retry_broken();
    return {};
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
    if (!result) emit({Event::Kind::lease_refused, {}, result.error().message});
    done(std::move(result));
    return 0;
}

/// Only a pool with a bound has its leases looked through.
Status Manager::check_quota(const Peer& peer, const Pool& pool, const CpuSet& wanted) const {
    if (!Authorizer::has_quota(peer, pool)) return {};
    unsigned held = 0;
    for (const auto& [id, lease] : committer_.ledger().leases()) {
        if (lease.pool != pool.spec.name || !Authorizer::counts_for(peer, lease)) continue;
        held += count_cores(host_.topology, lease.cpus);
    }
    return Authorizer::check_quota(peer, pool, held, count_cores(host_.topology, wanted));
}

Result<Lease> Manager::prepare(const Peer& peer, const IsolateOrder& order) {
    if (!peer.pidfd) {
        return make_error(Errc::unavailable,
                          "the calling process is not known: send its pidfd along (this kernel "
                          "cannot name the peer of a socket)");
    }
    if (ports_.processes.has_ended(peer.pidfd.get())) return caller_ended();
    if (committer_.ledger().leases().size() >= config_.limits.leases) {
        return make_error(Errc::too_many,
                          "there are " + std::to_string(config_.limits.leases) +
                              " leases already; end some, or raise leases in [limits]");
    }
    AllocationRequest what = order.what;
    what.offline = offline_;
    CMK_TRY_ASSIGN(const CpuSet cpus, allocate(host_.topology, committer_.ledger(), what));
    const Pool& pool = *committer_.ledger().pool(order.what.pool);
    CMK_TRY(check_quota(peer, pool, cpus));
    Lease lease{.id = ports_.new_lease_id(), .pool = order.what.pool, .cpus = cpus};
    const ProcessInfo& info = peer.process;
    const std::string cgroup = ports_.cgroups.path_in(info.cgroup_text);
    lease.hold = hold_for(pool, ports_.cgroups, order.pin);
    if (lease.hold == Hold::cpuset) {
        const auto place = ports_.cgroups.place_for(peer.kind(), cgroup);
        if (place) lease.place = *place;
        if (!place) lease.hold = Hold::affinity;
    }
    lease.grade = expected_grade(lease, pool, ports_.cgroups.abilities());
    CMK_TRY(check_grade(pool, lease.grade, ports_.cgroups.mechanism()));
    lease.created = ports_.now();
    lease.owner = {.pid = info.pid,
                   .start_time = info.start_time,
                   .uid = info.uid,
                   .user = peer.container ? "" : user_name(info.uid),
                   .command = info.command,
                   .cgroup = cgroup,
                   .container = peer.container,
                   .unit = peer.identity.unit,
                   .pod = peer.identity.pod};
    if (lease.hold != Hold::none) {
        lease.old_masks =
            masks_to_restore(ports_.processes.masks(info.pid),
                             ports_.cgroups.allowed_in(lease.owner.cgroup), host_.isolated);
    }
    return lease;
}

Result<Grant> Manager::grant(Peer& peer, const IsolateOrder& order) {
    CMK_TRY_ASSIGN(Lease lease, prepare(peer, order));
    Status given = committer_.commit({.added = {lease}});
    if (!given && given.error().sys_errno == ENOENT) {
        // Somebody has removed the pools' groups, as systemd does when it stops their unit.
        mend();
        given = committer_.commit({.added = {lease}});
    }
    if (!given && given.error().sys_errno == ENOENT) {
        const std::string problem = ports_.cgroups.home_problem();
        if (!problem.empty()) return make_error(Errc::unavailable, problem);
    }
    CMK_TRY(given);
    lease = *committer_.ledger().lease(lease.id);
    // Groups take bare ids: one that was freed meanwhile may have moved a stranger.
    if (ports_.processes.has_ended(peer.pidfd.get())) {
        if (const Status undone = committer_.commit({.removed = {lease.id}}); !undone) {
            retry_end(lease.id, undone.error());
        }
        return caller_ended();
    }
    ports_.fd_store.put(lease.id, peer.pidfd.get());
    watch(lease, std::move(peer.pidfd));
    watch_place(lease);
    ports_.log.debug("lease given", {{"CMK_LEASE", lease.id},
                                     {"CMK_POOL", lease.pool},
                                     {"CMK_CPUS", lease.cpus.to_cpulist()},
                                     {"CMK_COMMAND", lease.owner.command}});
    emit({Event::Kind::lease_added, lease, ""});
    return describe_grant(lease);
}

Grant Manager::describe_grant(const Lease& lease) const {
    Grant grant{.lease = lease.id, .cpus = lease.cpus, .grade = lease.grade};
    const Pool* leased_from = committer_.ledger().pool(lease.pool);
    grant.notes.push_back(
        note_on(lease, leased_from != nullptr ? leased_from->partition : PartitionType::member));
    if (const Pool* pool = committer_.ledger().pool(kSharedPool)) grant.shared = pool->cpus;
    if (const Pool* pool = committer_.ledger().pool(kInfraPool)) grant.infra = pool->cpus;
    return grant;
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
    ports_.log.debug("lease ended", {{"CMK_LEASE", id}, {"CMK_REASON", reason}});
    emit({Event::Kind::lease_removed, lease, reason});
    serve_waiting();
}

void Manager::retry_end(const std::string& id, const Error& error) {
    if (++end_retries_[id] > kEndRetries) {
        end_retries_.erase(id);
        return ports_.log.error("lease cannot be ended: " + error.message, {{"CMK_LEASE", id}});
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
    ports_.log.info("lease released", {{"CMK_LEASE", id}, {"CMK_POOL", lease.pool}});
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
    host.problems.insert(host.problems.begin(), config_problems_.begin(), config_problems_.end());
    if (!authorizer_.may_see_host(peer)) host.problems.clear();
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

void Manager::emit(const Event& event) {
    if (event.kind == Event::Kind::lease_removed) ports_.fd_store.remove(event.lease->id);
    for (const auto& listener : listeners_)
        listener(event);
}

}  // namespace cmk
