// SPDX-License-Identifier: Apache-2.0
#include "ipc/kubelet.h"

#include <nlohmann/json.hpp>

#include "core/pool.h"
#include "ipc/json_codec.h"

namespace cmk {

namespace {

using nlohmann::json;

/// The CPUs of one pod's containers. An init container's are the pod's as well.
Status add_pod(const json& pod, CpuSet& given) {
    if (!pod.is_object()) return {};
    for (const json& cpus : pod) {
        if (!cpus.is_string()) continue;
        CMK_TRY_ASSIGN(const CpuSet set, CpuSet::parse(cpus.get<std::string>()));
        given |= set;
    }
    return {};
}

}  // namespace

Result<CpuManagerState> parse_cpu_manager_state(const std::string& text) {
    CMK_TRY_ASSIGN(const json object, parse_object(text));
    const auto policy = object.find("policyName");
    if (policy == object.end() || !policy->is_string()) {
        return make_error(Errc::invalid_argument, "it is no state of kubelet's CPU manager");
    }
    CpuManagerState state{.policy = policy->get<std::string>()};
    const auto entries = object.find("entries");
    if (entries == object.end() || !entries->is_object()) return state;
    for (const json& pod : *entries)
        CMK_TRY(add_pod(pod, state.given));
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

std::string kubelet_overlap(const CpuManagerState& kubelet, const CpuSet& reserved) {
    const CpuSet both = kubelet.given & reserved;
    if (kubelet.policy != "static" || both.empty()) return "";
    return "kubelet's static CPU manager has given CPUs " + both.to_cpulist() +
           " of the pools to pods; set reservedSystemCPUs: \"" + reserved.to_cpulist() +
           "\" in kubelet's configuration, drain the node, remove " + kKubeletDir + "/" +
           kCpuManagerFile + " and start kubelet again";
}

}  // namespace cmk
