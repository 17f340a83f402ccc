// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "core/cpu_set.h"
#include "core/report.h"

namespace cmk {

/// Where kubelet's CPU manager keeps what it has given away.
inline constexpr char kKubeletDir[] = "/var/lib/kubelet";
inline constexpr char kCpuManagerFile[] = "cpu_manager_state";

/// What kubelet's static CPU manager has given away.
struct CpuManagerState {
    std::string policy = {};  ///< "none" or "static"; "" where there is no kubelet
    CpuSet given = {};        ///< CPUs of containers of their own

    friend bool operator==(const CpuManagerState&, const CpuManagerState&) = default;
};
/// Errors: invalid_argument for anything but kubelet's file.
Result<CpuManagerState> parse_cpu_manager_state(const std::string& text);

/// CPUs that kubelet must keep for the system, so that it gives none of ours away: all pools' but
/// those of the one named "infra", where everything else runs.
CpuSet cpus_to_reserve(const std::vector<PoolReport>& pools);

/// The lines for kubelet's configuration file, with what they are for.
std::string kubelet_lines(const CpuSet& reserved);

/// Where kubelet has given away what it had to reserve, in a sentence, with what to set; "" where
/// it has not.
std::string kubelet_overlap(const CpuManagerState& kubelet, const CpuSet& reserved);

}  // namespace cmk
