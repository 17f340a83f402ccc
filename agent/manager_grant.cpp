// SPDX-License-Identifier: Apache-2.0
// The manager's part that gives a lease.
#include <cerrno>

#include "agent/manager.h"
#include "agent/message_ids.h"
#include "base/text.h"

namespace cmk {

namespace {

Hold hold_for(const Pool& pool, const Cgroups& cgroups, bool pin) {
    if (!pin) return Hold::none;
    const bool groups = cgroups.has_groups() && pool.spec.isolation != Isolation::affinity;
    return groups ? Hold::cpuset : Hold::affinity;
}

/// What the mechanism should give; what it does give is read back after it was applied.
Grade expected_grade(const Lease& lease, const Pool& pool, const Abilities& abilities,
                     const CpuSet& quiet) {
    if (lease.hold != Hold::cpuset) return Grade::D;
    PartitionType partition = pool.partition;
    if (lease.is_in_place()) {
        partition = abilities.remote_partitions
                        ? lease_edit(EditKind::make_lease, lease, {pool}).partition
                        : PartitionType::member;
    }
    if (partition == PartitionType::member) return Grade::C;
    return partition == PartitionType::isolated && quiet.contains_all(lease.cpus) ? Grade::A
                                                                                  : Grade::B;
}

Error caller_ended() {
    return make_error(Errc::unavailable, "the calling process has ended");
}

/// Fail closed: a pool that wants more than this host gives leases nothing.
Status check_grade(const Pool& pool, Grade grade, const std::string& mechanism) {
    if (is_at_least(grade, pool.spec.require_grade)) return {};
    if (grade == Grade::B) {
        return make_error(Errc::not_permitted,
                          "pool " + pool.spec.name +
                              " requires grade A: CPUs isolated at boot (isolcpus=) where no "
                              "interrupt and no unbound kernel work comes, of which it has too few "
                              "(grade B); direct both elsewhere (cmkctl verify as root names them) "
                              "and try again, or lower require_grade of the pool");
    }
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
            if (lease.grade == Grade::A) {
                return "Held by an isolated partition: no other program can run on its CPUs, and "
                       "no interrupt and no unbound kernel work comes there. The kernel does not "
                       "balance load between them (grade A).";
            }
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

/// CPUs that keep leases of the pool from the grade that it requires. The kernel does not announce
/// where interrupts go: where grade A is possible, it is asked anew.
CpuSet Manager::noisy_of(const Pool& pool) {
    if (pool.partition != PartitionType::isolated) return {};
    look_for_quiet();
    return pool.spec.require_grade == Grade::A ? pool.cpus - executor_.quiet() : CpuSet{};
}

/// Where too few of the pool's cores are quiet, whoever has them, waiting is of no use.
Result<CpuSet> Manager::choose_cpus(AllocationRequest what) {
    what.offline = offline_;
    const Pool* pool = committer_.ledger().pool(what.pool);
    if (pool == nullptr) return allocate(host_.topology, committer_.ledger(), what);
    what.noisy = noisy_of(*pool);
    if (!what.noisy.empty() && count_cores(host_.topology, pool->cpus - what.noisy) < what.cores) {
        CMK_TRY(check_grade(*pool, Grade::B, ports_.cgroups.mechanism()));
    }
    return allocate(host_.topology, committer_.ledger(), what);
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
    CMK_TRY_ASSIGN(const CpuSet cpus, choose_cpus(order.what));
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
    lease.grade = expected_grade(lease, pool, ports_.cgroups.abilities(), executor_.quiet());
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
    const auto begin = std::chrono::steady_clock::now();
    Result<Grant> given = give(peer, order);
    if (given) {
        ++counters_.of(order.what.pool).granted;
        counters_.grants.count(std::chrono::steady_clock::now() - begin);
    }
    return given;
}

Result<Grant> Manager::give(Peer& peer, const IsolateOrder& order) {
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
    ports_.log.debug("lease given", {{"MESSAGE_ID", message_id::kLeaseGiven},
                                     {"CMK_LEASE", lease.id},
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

}  // namespace cmk
