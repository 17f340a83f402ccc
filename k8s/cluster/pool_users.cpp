// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/pool_users.h"

#include <nlohmann/json.hpp>

#include "k8s/api.h"

namespace cmk::k8s {

std::vector<std::string> users_in(const nlohmann::json& description, const std::string& but) {
    std::vector<std::string> users;
    for (const auto& pool : member_of(description, "pools").items()) {
        if (pool.key() == but) continue;
        for (const auto& list : member_of(pool.value(), "cpuLists").items()) {
            const auto tasks = list.value().find("tasks");
            if (!list.value().is_object() || tasks == list.value().end() || !tasks->is_array())
                continue;
            for (const auto& task : *tasks)
                users.push_back("process " + task.dump() + " on CPUs " + list.key() + " of pool " +
                                pool.key());
        }
    }
    return users;
}

}  // namespace cmk::k8s
