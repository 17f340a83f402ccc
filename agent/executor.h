// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "agent/cgroups.h"
#include "agent/processes.h"
#include "core/plan.h"

namespace cmk {

/// Carries plans out. The only place that changes the machine.
class Executor {
public:
    /// The leases that a plan names, by id.
    using Leases = std::map<std::string, const Lease*, std::less<>>;

    Executor(Cgroups& cgroups, Processes& processes) : cgroups_(cgroups), processes_(processes) {}

    /// Edit by edit; when one fails, undoes the ones before it, last first, and returns the
    /// failure. Errors: io; unavailable when the owner has ended.
    Status apply(const Plan& plan, const Leases& leases);

    /// Sets anew what holds a lease, as a partition of that type in place. Nothing is undone on
    /// failure, and nobody leaves: half-mended is nearer to right than as it was found.
    Status mend(const Lease& lease, PartitionType type);

    /// Compares what the kernel gives the lease with what it shall have, and says how strongly that
    /// is held. Errors: io, naming both.
    Result<Grade> read_back(const Lease& lease);

    /// CPUs that the kernel cannot use now: a lease does without them.
    void set_offline(const CpuSet& cpus) { offline_ = cpus; }
    /// CPUs where neither interrupts nor unbound kernel work come, as last seen.
    void set_quiet(const CpuSet& cpus) { quiet_ = cpus; }
    const CpuSet& quiet() const { return quiet_; }

private:
    Status run(const Edit& edit, const Leases& leases);
    Status set_lease(const Edit& edit);
    Status move_in(const Lease& lease);
    Status pin_members(const Lease& lease);
    Status attach(const Lease& lease);
    Status detach(const Lease& lease);
    Error explain(Error error, const Lease& lease);
    Grade grade_of(const Confinement& found) const;
    void move_out(const Lease& lease, int pid);

    Cgroups& cgroups_;
    Processes& processes_;
    CpuSet offline_;
    CpuSet quiet_;
};

}  // namespace cmk
