// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/counters.h"
#include "core/report.h"

namespace cmk {

/// How things stand at the moment, beside what was counted.
struct MetricsView {
    const HostReport& host;
    const std::vector<PoolReport>& pools;
    const std::map<std::string, Lease, std::less<>>& leases;
    const CpuSet& offline;  ///< of the machine's CPUs
};

/// The agent's page for Prometheus (text format 0.0.4). docs/monitoring.md lists what is in it.
std::string render_metrics(const Counters& counters, const MetricsView& view);

}  // namespace cmk
