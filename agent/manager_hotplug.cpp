// SPDX-License-Identifier: Apache-2.0
// The manager's part about CPUs that go offline and come back.
#include "agent/manager.h"
#include "agent/message_ids.h"
#include "core/cpu_text.h"

namespace cmk {

void Manager::look_for_offline() {
    const CpuSet online = ports_.online();
    offline_ = online.empty() ? CpuSet{} : host_.topology.cpus() - online;
    executor_.set_offline(offline_);
}

/// The kernel does not announce where interrupts go: this is as whoever asked last saw it.
void Manager::look_for_quiet() {
    if (!host_.isolated.empty()) executor_.set_quiet(ports_.quiet(host_.isolated));
}

void Manager::machine_changed() {
    const CpuSet before = offline_;
    look_for_offline();
    move_stranded();
    log_audit(repair(), "CPUs came or went: ");
    tell_usable(before);
}

/// A group none of whose CPUs is left gets all of its pool's from the kernel, other leases' among
/// them: it has to go to free cores. Where one is left, the kernel keeps it to that one.
void Manager::move_stranded() {
    const auto leases = committer_.ledger().leases();
    for (const auto& [id, lease] : leases) {
        const Pool* pool = committer_.ledger().pool(lease.pool);
        const bool is_held = lease.hold == Hold::cpuset && !lease.is_in_place() && pool != nullptr;
        if (!is_held || pool->spec.kind != PoolKind::exclusive) continue;
        if (!offline_.contains_all(lease.cpus)) continue;
        const auto cpus = allocate(host_.topology, committer_.ledger(),
                                   {.pool = lease.pool,
                                    .cores = count_cores(host_.topology, lease.cpus),
                                    .offline = offline_,
                                    .noisy = noisy_of(*pool)});
        Lease moved = lease;
        Status done = cpus ? Status{} : Status(cpus.error());
        if (cpus) {
            moved.cpus = *cpus;
            done = committer_.commit({.removed = {id}, .added = {moved}});
        }
        if (done) {
            ++counters_.of(lease.pool).moved;
            tell_cpus(moved, "its CPUs " + lease.cpus.to_cpulist() + " went offline");
        } else {
            ports_.log.error(
                "a lease has lost all its CPUs, and no other can be had: " + done.error().message,
                {{"MESSAGE_ID", message_id::kCpusGone},
                 {"CMK_LEASE", id},
                 {"CMK_POOL", lease.pool}});
        }
    }
}

void Manager::tell_usable(const CpuSet& offline_before) {
    const CpuSet gone = offline_ - offline_before;
    const CpuSet back = offline_before - offline_;
    const auto leases = committer_.ledger().leases();
    for (const auto& [id, lease] : leases) {
        if (lease.cpus.intersects(gone)) tell_cpus(lease, cpus_are(lease.cpus & gone) + " offline");
        if (lease.cpus.intersects(back)) tell_cpus(lease, cpus_are(lease.cpus & back) + " back");
    }
}

void Manager::tell_cpus(const Lease& lease, const std::string& what) {
    ports_.log.warning("the CPUs of a lease have changed: " + what,
                       {{"MESSAGE_ID", message_id::kCpusChanged},
                        {"CMK_LEASE", lease.id},
                        {"CMK_POOL", lease.pool},
                        {"CMK_CPUS", lease.cpus.to_cpulist()}});
    emit({Event::Kind::cpus_changed, lease, what});
}

}  // namespace cmk
