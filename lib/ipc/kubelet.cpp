// SPDX-License-Identifier: Apache-2.0
#include "ipc/kubelet.h"

#include <nlohmann/json.hpp>

#include "core/pool.h"
#include "ipc/json_reader.h"

namespace cmk {

namespace {

using nlohmann::json;

Status add_cpus(const json& cpus, CpuSet& given) {
    if (!cpus.is_string()) {
        return make_error(Errc::invalid_argument,
                          "an entry of kubelet's CPU manager is no list of CPUs");
    }
    CMK_TRY_ASSIGN(const CpuSet set, CpuSet::parse(cpus.get<std::string>()));
    given |= set;
    return {};
}

/// The CPUs of one pod's containers; an init container's are the pod's as well. Before Kubernetes
/// 1.18 the entries were the containers.
Status add_entry(const json& entry, CpuSet& given) {
    if (!entry.is_object()) return add_cpus(entry, given);
    for (const json& cpus : entry)
        CMK_TRY(add_cpus(cpus, given));
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
    if (state.policy != "static" || entries == object.end()) return state;
    if (!entries->is_object()) {
        return make_error(Errc::invalid_argument,
                          "the entries of kubelet's CPU manager are no map");
    }
    for (const json& entry : *entries)
        CMK_TRY(add_entry(entry, state.given));
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
