// SPDX-License-Identifier: Apache-2.0
#include "cli/drawing_text.h"

#include <algorithm>

#include "base/text.h"
#include "cli/display_text.h"

namespace cmk {

namespace {

std::string place_of(const Core& core) {
    std::string text = "core " + std::to_string(core.index) +
                       (core.cpus.count() == 1 ? ": CPU " : ": CPUs ") + core.cpus.to_comma_list() +
                       "; socket " + std::to_string(core.package) + ", NUMA node " +
                       std::to_string(core.numa) + ", LLC " + std::to_string(core.llc);
    return core.kind.empty() ? text : text + ", " + printable(core.kind, true);
}

std::string owner_of(const Owner& owner) {
    if (owner.pid == 0 && owner.user.empty()) return "owner unknown";
    std::vector<std::string> parts;
    if (!owner.command.empty()) parts.push_back(owner.command);
    if (owner.pid > 0) parts.push_back("pid " + std::to_string(owner.pid));
    parts.push_back("user " + (owner.user.empty() ? std::to_string(owner.uid) : owner.user));
    if (!owner.unit.empty()) parts.push_back("unit " + owner.unit);
    if (!owner.pod.empty()) parts.push_back("pod " + owner.pod);
    return printable(join(parts, ", "), true);
}

/// A grade is what was read back of a lease that holds; one that is only planned has none, and no
/// owner.
std::string holding_of(const Lease& lease) {
    if (lease.status != LeaseStatus::committed) return "";
    return ", grade " + std::string(to_text(lease.grade)) + ", " + owner_of(lease.owner);
}

}  // namespace

const PoolReport* pool_with(const Machine& machine, const CpuSet& cpus) {
    const auto pool =
        std::find_if(machine.pools.begin(), machine.pools.end(),
                     [&](const PoolReport& each) { return each.pool.cpus.intersects(cpus); });
    return pool == machine.pools.end() ? nullptr : &*pool;
}

std::string hover_text(const Machine& machine, const Core& core) {
    std::string text = place_of(core);
    const PoolReport* report = pool_with(machine, core.cpus);
    if (report == nullptr) return text + "\nin no pool";
    const PoolSpec& spec = report->pool.spec;
    text += "\npool " + printable(spec.name, true) + " (" + std::string(to_text(spec.kind)) + ")";
    bool is_leased = false;
    for (const Lease& lease : machine.leases) {
        if (!lease.cpus.intersects(core.cpus)) continue;
        is_leased = true;
        text += "\nlease " + printable(lease.id, true) + holding_of(lease);
    }
    if (is_leased) return text;
    // A container sees its own leases alone.
    const bool is_free = report->free.contains_all(core.cpus);
    return text + (is_free ? "\nno lease" : "\nleased by somebody whom you may not see");
}

std::string pool_summary(const PoolReport& report) {
    const PoolSpec& spec = report.pool.spec;
    std::string text =
        std::string(to_text(spec.kind)) + " pool, " + counted(report.cores, "core", "cores");
    if (spec.kind == PoolKind::exclusive)
        text += ", " + std::to_string(report.free_cores) + " free";
    return text + (report.pool.cpus.empty() ? "" : ", CPUs " + report.pool.cpus.to_cpulist());
}

std::string lease_summary(const Lease& lease) {
    return "pool " + lease.pool + ", CPUs " + lease.cpus.to_cpulist() + holding_of(lease);
}

}  // namespace cmk
