// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "core/cpu_set.h"
#include "core/report.h"

namespace cmk::k8s {

/// What kubelet's static CPU manager has given away (/var/lib/kubelet/cpu_manager_state).
struct CpuManagerState {
    std::string policy = {};  ///< "none" or "static"
    CpuSet given = {};        ///< CPUs of containers of their own
};
/// Errors: invalid_argument for anything but kubelet's file.
Result<CpuManagerState> read_cpu_manager_state(const std::string& text);

/// CPUs that kubelet must keep for the system, so that it gives none of ours away: all pools' but
/// those of the one named "infra", where everything else runs.
CpuSet cpus_to_reserve(const std::vector<PoolReport>& pools);

/// The lines for kubelet's configuration file, with what they are for.
std::string kubelet_lines(const CpuSet& reserved);

/// Where kubelet and the pools overlap, in a sentence, with what to set; "" where they do not.
std::string kubelet_overlap(const CpuManagerState& kubelet, const std::vector<PoolReport>& pools);

}  // namespace cmk::k8s
