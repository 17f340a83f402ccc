// SPDX-License-Identifier: Apache-2.0
#include "k8s/kubelet.h"

#include <nlohmann/json.hpp>

#include "ipc/json_codec.h"
#include "ipc/names.h"
#include "k8s/api.h"

namespace cmk::k8s {

Result<CpuManagerState> read_cpu_manager_state(const std::string& text) {
    CMK_TRY_ASSIGN(const nlohmann::json json, parse_object(text));
    CpuManagerState state{.policy = text_of(json, "policyName")};
    if (state.policy.empty()) {
        return make_error(Errc::invalid_argument, "it is no state of kubelet's CPU manager");
    }
    for (const auto& pod : member_of(json, "entries")) {
        if (!pod.is_object()) continue;
        for (const auto& cpus : pod) {
            if (!cpus.is_string()) continue;
            CMK_TRY_ASSIGN(const CpuSet set, CpuSet::parse(cpus.get<std::string>()));
            state.given |= set;
        }
    }
    return state;
}

CpuSet cpus_to_reserve(const std::vector<PoolReport>& pools) {
    CpuSet reserved;
    for (const PoolReport& report : pools) {
        if (report.pool.spec.name != kInfraPool) reserved |= report.pool.cpus;
    }
    return reserved;
}

std::string kubelet_lines(const CpuSet& reserved) {
    if (reserved.empty()) return "# There are no pools: kubelet needs no setting.\n";
    return "# In kubelet's configuration (KubeletConfiguration): keeps its static CPU manager off\n"
           "# the pools. It counts these CPUs as the system's, so pods can request that much "
           "less.\n"
           "reservedSystemCPUs: \"" +
           reserved.to_cpulist() + "\"\n";
}

std::string kubelet_overlap(const CpuManagerState& kubelet, const std::vector<PoolReport>& pools) {
    const CpuSet reserved = cpus_to_reserve(pools);
    const CpuSet both = kubelet.given & reserved;
    if (kubelet.policy != "static" || both.empty()) return "";
    return "kubelet's static CPU manager has given CPUs " + both.to_cpulist() +
           " of the pools to pods; set reservedSystemCPUs: \"" + reserved.to_cpulist() +
           "\" in kubelet's configuration, drain the node, remove "
           "/var/lib/kubelet/cpu_manager_state and start kubelet again";
}

}  // namespace cmk::k8s
