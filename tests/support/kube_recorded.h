// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "base/text.h"
#include "core/report.h"
#include "k8s/agent_state.h"
#include "k8s/api.h"

namespace cmk::test {

inline nlohmann::json kube_data(const std::string& path) {
    std::ifstream file(std::string(CMK_TEST_DATA) + "/kube/" + path);
    return nlohmann::json::parse(file, nullptr, false);
}

/// An answer as a real server gave it: "1.36.2/014-404-node".
inline k8s::Answer recorded_answer(const std::string& name) {
    const auto response = kube_data("recorded/" + name + ".json")["response"];
    k8s::Answer answer{.status = response["status"], .body = response["body"]};
    for (const auto& header : response["headers"]) {
        if (header[0] != "Retry-After") continue;
        answer.retry_after = std::chrono::seconds(*parse_unsigned(header[1].get<std::string>()));
    }
    return answer;
}

inline Lease make_lease(const std::string& id, const std::string& pool, const CpuSet& cpus,
                        bool pod) {
    Lease lease{.id = id, .pool = pool, .cpus = cpus, .grade = Grade::B};
    lease.owner = {.pid = 100, .command = "worker"};
    lease.owner.container = pod;
    lease.owner.cgroup = pod ? "/kubepods/burstable/pod1/abc" : "/user.slice/session-1.scope";
    return lease;
}

inline PoolReport make_pool(const Topology& topology, const std::string& name, PoolKind kind,
                            const CpuSet& cpus) {
    PoolReport report{.pool = {.spec = {.name = name, .kind = kind}, .cpus = cpus}, .free = cpus};
    report.cores = count_cores(topology, cpus);
    report.free_cores = report.cores;
    return report;
}

}  // namespace cmk::test
