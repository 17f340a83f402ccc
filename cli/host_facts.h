// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace cmk {

/// What on this host bears on dedicating cores, a full sentence each: isolcpus= and nohz_full= on
/// the kernel command line, a running irqbalance, kubelet's static CPU policy. `root` is "/" but
/// in tests. What cannot be read is left out.
std::vector<std::string> find_host_facts(const std::string& root);

}  // namespace cmk
