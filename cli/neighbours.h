// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/report.h"

namespace cmk {

/// A container's /proc shows no kernel threads, and its process ids mean something else.
bool shows_host(const std::string& proc);

/// Adds to each verdict the check "neighbours": which other threads may run on the lease's CPUs,
/// by the Cpus_allowed_list of every thread in `proc`. They are expected at grades C and D and
/// fail the check at A and B, kernel threads excepted. Says nothing about leases whose owner
/// `proc` does not show: it is then not the host's.
void add_neighbours(const std::string& proc, std::vector<LeaseVerdict>& verdicts);

}  // namespace cmk
