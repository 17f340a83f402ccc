// SPDX-License-Identifier: Apache-2.0
#include "agent/executor.h"

#include <algorithm>
#include <cerrno>

namespace cmk {

namespace {

/// A group whose members fork faster than they can be moved is given up on.
constexpr int kDetachRounds = 100;

}  // namespace

Status Executor::apply(const Plan& plan, const Leases& leases) {
    for (std::size_t i = 0; i < plan.size(); ++i) {
        Status done = run(plan[i], leases);
        if (done) continue;
        Error error = with_context(std::move(done).error(), std::string(to_text(plan[i].kind)));
        for (std::size_t back = i; back-- > 0;) {
            const Status undone = run(inverse(plan[back]), leases);
            if (!undone) error.message += "; undoing it: " + undone.error().message;
        }
        return error;
    }
    return {};
}

Status Executor::run(const Edit& edit, const Leases& leases) {
    const auto at = leases.find(edit.lease);
    const Lease* lease = at == leases.end() ? nullptr : at->second;
    switch (edit.kind) {
        case EditKind::set_root: return cgroups_.set_root(edit.cpus);
        case EditKind::set_reserved: return cgroups_.set_reserved(edit.cpus);
        case EditKind::make_pool: return cgroups_.make_pool(edit.pool, edit.cpus, edit.partition);
        case EditKind::set_pool: return cgroups_.set_pool(edit.pool, edit.cpus, edit.partition);
        case EditKind::remove_pool: return cgroups_.remove_pool(edit.pool);
        case EditKind::make_lease:
            return cgroups_.make_lease({edit.pool, edit.lease, edit.place}, edit.cpus,
                                       edit.partition);
        case EditKind::set_lease: return set_lease(edit);
        case EditKind::remove_lease:
            return cgroups_.remove_lease({edit.pool, edit.lease, edit.place}, edit.cpus);
        case EditKind::attach:
        case EditKind::detach:
            if (lease == nullptr) break;
            return edit.kind == EditKind::attach ? attach(*lease) : detach(*lease);
    }
    return make_error(Errc::internal, "the plan names lease " + edit.lease + ", which it lacks");
}

/// Masks that were set for the CPUs before would leave nothing of the new ones.
Status Executor::set_lease(const Edit& edit) {
    const LeaseGroup group{edit.pool, edit.lease};
    CMK_TRY(cgroups_.make_lease(group, edit.cpus, PartitionType::member));
    return pin_members({.id = edit.lease, .pool = edit.pool, .cpus = edit.cpus});
}

Status Executor::move_in(const Lease& lease) {
    Status limited = cgroups_.copy_limits(group_of(lease), lease.owner.cgroup);
    if (!limited) {
        return with_context(std::move(limited).error(), "its unit's limits cannot be kept");
    }
    Status moved = cgroups_.attach(group_of(lease), lease.owner.pid);
    if (moved || moved.error().sys_errno != ESRCH) return moved;
    return make_error(Errc::unavailable, "the process has ended");
}

Status Executor::attach(const Lease& lease) {
    if (lease.hold == Hold::cpuset) CMK_TRY(move_in(lease));
    // A mask from before would go on narrowing the new CPUs.
    Status pinned = processes_.set_affinity(lease.owner.pid, lease.cpus);
    if (pinned) return {};
    (void)detach(lease);
    return explain(std::move(pinned).error(), lease);
}

Status Executor::mend(const Lease& lease, PartitionType type) {
    const bool is_there =
        lease.owner.pid != 0 && processes_.open(lease.owner.pid, lease.owner.start_time);
    if (lease.hold == Hold::affinity) {
        return is_there ? processes_.set_affinity(lease.owner.pid, lease.cpus) : Status{};
    }
    CMK_TRY(cgroups_.make_lease(group_of(lease), lease.cpus, type));
    if (is_there) {
        CMK_TRY_ASSIGN(const std::vector<int> pids, cgroups_.members(group_of(lease)));
        const bool inside = std::find(pids.begin(), pids.end(), lease.owner.pid) != pids.end();
        if (!inside) CMK_TRY(move_in(lease));
    }
    return pin_members(lease);
}

/// Processes that end meanwhile need nothing.
Status Executor::pin_members(const Lease& lease) {
    CMK_TRY_ASSIGN(const std::vector<int> pids, cgroups_.members(group_of(lease)));
    for (const int pid : pids) {
        Status pinned = processes_.set_affinity(pid, lease.cpus);
        if (!pinned && pinned.error().sys_errno != ESRCH) {
            return explain(std::move(pinned).error(), lease);
        }
    }
    return {};
}

/// The kernel takes CPUs away from a group without a word when a partition elsewhere has them.
Error Executor::explain(Error error, const Lease& lease) {
    const std::string others = cgroups_.rivals(lease.pool, lease.cpus);
    if (others.empty()) return error;
    error.code = Errc::conflict;
    error.message += "; they are held" + others + ": free them there, or give the pool other CPUs";
    return error;
}

void Executor::move_out(const Lease& lease, int pid) {
    if (cgroups_.move_to(lease.owner.cgroup, pid)) processes_.restore(pid, lease.old_masks);
}

Status Executor::detach(const Lease& lease) {
    if (lease.hold != Hold::cpuset || lease.place.kind == PlaceKind::unit) {
        // The pidfd proves that the id still names the owner.
        const auto owner = processes_.open(lease.owner.pid, lease.owner.start_time);
        if (owner) processes_.restore(lease.owner.pid, lease.old_masks);
        return {};
    }
    for (int round = 0; round < kDetachRounds; ++round) {
        const auto members = cgroups_.members(group_of(lease));
        if (!members && members.error().sys_errno == ENOENT) return {};
        if (!members) return members.error();
        if (members->empty()) return {};
        for (const int pid : *members)
            move_out(lease, pid);
    }
    return make_error(Errc::io, "processes of lease " + lease.id +
                                    " cannot be moved out of its group; stop them and try again");
}

Grade Executor::grade_of(const Confinement& found) const {
    if (!found.exclusive) return Grade::C;
    return found.isolated && quiet_.contains_all(found.effective) ? Grade::A : Grade::B;
}

Result<Grade> Executor::read_back(const Lease& lease) {
    if (lease.hold == Hold::none) return Grade::D;
    const CpuSet usable = lease.cpus - offline_;
    if (lease.hold == Hold::cpuset) {
        CMK_TRY_ASSIGN(const Confinement found, cgroups_.confinement(group_of(lease)));
        if (found.effective == usable) return grade_of(found);
        return explain(make_error(Errc::io, "the kernel lets lease " + lease.id + " use CPUs " +
                                                found.effective.to_cpulist() + " instead of " +
                                                usable.to_cpulist()),
                       lease);
    }
    for (const ThreadMask& mask : processes_.masks(lease.owner.pid)) {
        if (mask.cpus - offline_ != usable) {
            return make_error(Errc::io, "thread " + std::to_string(mask.tid) + " may use CPUs " +
                                            mask.cpus.to_cpulist() + " instead of " +
                                            usable.to_cpulist());
        }
    }
    return Grade::D;
}

}  // namespace cmk
