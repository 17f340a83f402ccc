// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "core/cpu_set.h"

namespace cmk {

/// What the agent asks of systemd. A narrow port: a unit's cpuset.cpus belongs to systemd, which
/// takes back what others write there.
class SystemdUnits {
public:
    virtual ~SystemdUnits() = default;

    /// AllowedCPUs= of a unit until reboot, in force when it returns. No CPUs: no limit, which the
    /// kernel takes only while the unit has no process. Errors: unavailable, with systemd's words.
    virtual Status set_allowed_cpus(const std::string& unit, const CpuSet& cpus) = 0;
};

/// Over the system bus, one connection a call: it is needed when pools change, never for a lease.
class SystemdUnitsBus final : public SystemdUnits {
public:
    Status set_allowed_cpus(const std::string& unit, const CpuSet& cpus) override;
};

}  // namespace cmk
