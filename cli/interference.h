// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/report.h"

namespace cmk {

/// Adds to each verdict what else of the machine can take time on the lease's CPUs, from the
/// kernel's files below `root` ("/" but in tests), each check with what would keep it away:
/// - "interrupts": whose affinity has some of the CPUs;
/// - "workqueues": whether unbound kernel work may run there;
/// - "timer tick": whether it stops there (nohz_full=);
/// - "siblings": SMT siblings of its cores that the lease does not have; these fail the check where
///   the lease is exclusive. The first two fail it where its grade is A.
/// What cannot be read is left out.
void add_interference(const std::string& root, std::vector<LeaseVerdict>& verdicts);

/// Adds to each verdict the check "switches": how often in so many seconds a user thread that is
/// not the lease's was switched in on its CPUs, counted by the kernel's tracer (tracefs below
/// `root`) in an instance of its own. One makes an exclusive lease fail. Waits as long.
/// Errors: unavailable where tracefs cannot be used, saying why.
Status add_switches(const std::string& root, unsigned seconds, std::vector<LeaseVerdict>& verdicts);

}  // namespace cmk
