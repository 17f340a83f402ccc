// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/machine.h"

namespace cmk {

/// What the drawing says about a core when it is pointed at: where it is, one line for its pool,
/// one for each lease on it. Foreign text in it is printable.
std::string hover_text(const Machine& machine, const Core& core);

/// The pool that has these CPUs, or nullptr.
const PoolReport* pool_with(const Machine& machine, const CpuSet& cpus);

/// "exclusive pool, 4 cores, 2 free, CPUs 0-3"
std::string pool_summary(const PoolReport& report);

/// "pool exclusive, CPUs 2-3, grade B, nginx, pid 1122, user root"
std::string lease_summary(const Lease& lease);

}  // namespace cmk
