// SPDX-License-Identifier: Apache-2.0
#include "k8s/directory_node.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/pool.h"
#include "ipc/json_codec.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

bool is_exclusive(const json& pool) {
    const auto at = pool.find("exclusive");
    return at != pool.end() && at->is_boolean() && at->get<bool>();
}

bool is_free(const json& list) {
    if (!list.is_object()) return false;
    const auto tasks = list.find("tasks");
    return tasks != list.end() && tasks->is_array() && tasks->empty();
}

json compact_pool(const std::string& name, const json& pool) {
    const json& lists = member_of(pool, "cpuLists");
    const auto free = std::count_if(lists.begin(), lists.end(), is_free);
    return {{"name", name},
            {"kind", is_exclusive(pool) ? "exclusive" : "shared"},
            {"cores", lists.size()},
            {"coresFree", free}};
}

/// Sums a number over the exclusive pools.
std::uint64_t sum_of(const json& pools, const char* key) {
    std::uint64_t sum = 0;
    for (const json& pool : pools)
        if (pool["kind"] == "exclusive") sum += pool[key].get<std::uint64_t>();
    return sum;
}

}  // namespace

Result<NodeWish> directory_wish(const std::string& report, const ServerRules& rules, bool taint) {
    CMK_TRY_ASSIGN(const json parsed, parse_object(report));
    const json& pools = member_of(member_of(parsed, "description"), "pools");
    if (!pools.contains(kExclusivePool)) {
        return make_error(Errc::invalid_argument,
                          "Exclusive pool does not exist; run cmk init on this node");
    }
    NodeWish wish{.taint = taint};
    for (const auto& item : pools.items()) {
        if (!is_exclusive(item.value())) continue;
        if (rules.opaque_resource && item.key() != kExclusivePool) continue;
        const auto name = rules.opaque_resource ? Result<std::string>(std::string(kOpaqueResource))
                                                : resource_name(item.key());
        if (name) {
            wish.resources[*name] = member_of(item.value(), "cpuLists").size();
        } else {
            wish.problems.push_back(name.error().message);
        }
    }
    return wish;
}

Result<ReportContent> directory_content(const std::string& report) {
    CMK_TRY_ASSIGN(const json parsed, parse_object(report));
    json pools = json::array();
    for (const auto& item : member_of(member_of(parsed, "description"), "pools").items())
        if (item.value().is_object()) pools.push_back(compact_pool(item.key(), item.value()));
    const json status{{"coresTotal", sum_of(pools, "cores")},
                      {"coresFree", sum_of(pools, "coresFree")},
                      {"mechanism", "directory"},
                      {"pools", pools}};
    return ReportContent{.report = report, .status = dump_line(status)};
}

}  // namespace cmk::k8s
