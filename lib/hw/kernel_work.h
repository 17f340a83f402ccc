// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/cpu_set.h"

namespace cmk {

/// An interrupt that somebody uses.
struct Interrupt {
    std::string number;  ///< as in /proc/irq
    std::string name;    ///< of one of its users
    CpuSet cpus;         ///< where it comes now; where it may come, if the kernel does not tell
};

/// The interrupts of the machine, from the kernel's files below `root` ("" but in tests). What
/// cannot be read is left out. Source: kernel Documentation/core-api/irq/irq-affinity.rst.
std::vector<Interrupt> read_interrupts(const std::string& root);

/// CPUs where kernel work that is bound to none may run; none where it cannot be read. Source:
/// kernel Documentation/core-api/workqueue.rst.
std::optional<CpuSet> read_unbound_cpus(const std::string& root);

/// Those of the CPUs where neither interrupts nor unbound kernel work come; none where it cannot be
/// told.
CpuSet quiet_of(const CpuSet& cpus, const std::string& root = "");

}  // namespace cmk
