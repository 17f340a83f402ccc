// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "core/cpu_set.h"

namespace cmk {

/// One online logical CPU and where it sits. All ids but `cpu` are indexes that are unique on the
/// machine, not the possibly repeating ids of firmware.
struct CpuRecord {
    unsigned cpu = 0;       ///< CPU id, as in /sys/devices/system/cpu/cpuN
    unsigned core = 0;      ///< physical core
    unsigned package = 0;   ///< physical package, also called socket (its OS id)
    unsigned numa = 0;      ///< NUMA node (its OS id)
    unsigned llc = 0;       ///< last-level cache
    std::string kind = {};  ///< CPU kind on hybrid machines ("IntelCore", "IntelAtom"), else ""

    friend bool operator==(const CpuRecord&, const CpuRecord&) = default;
};

/// A physical core with its SMT siblings.
struct Core {
    unsigned index = 0;  ///< position in Topology::cores()
    unsigned package = 0;
    unsigned numa = 0;
    unsigned llc = 0;
    std::string kind = {};
    CpuSet cpus = {};

    friend bool operator==(const Core&, const Core&) = default;
};

/// The machine's CPUs as plain data; offline CPUs are not part of it.
class Topology {
public:
    Topology() = default;

    /// Errors: invalid_argument for no CPU, a CPU twice, an id beyond kMaxCpus, or a core that
    /// spans packages.
    static Result<Topology> from_records(std::vector<CpuRecord> records);

    /// Cores ordered by package, then by lowest CPU id (the original's order with ascending
    /// sockets).
    const std::vector<Core>& cores() const { return cores_; }
    /// Sorted by CPU id.
    const std::vector<CpuRecord>& records() const { return records_; }
    /// All online CPUs.
    const CpuSet& cpus() const { return cpus_; }
    /// Package ids, ascending.
    const std::vector<unsigned>& packages() const { return packages_; }
    /// The core a CPU belongs to, or nullptr.
    const Core* core_of(unsigned cpu) const;
    /// Cores whose online CPUs all lie in `cpus`, in the order of cores().
    std::vector<const Core*> cores_within(const CpuSet& cpus) const;

private:
    std::vector<CpuRecord> records_;
    std::vector<Core> cores_;
    std::vector<unsigned> core_by_cpu_;  // index into cores_, kNoCore where there is none
    std::vector<unsigned> packages_;
    CpuSet cpus_;
};

}  // namespace cmk
