// SPDX-License-Identifier: Apache-2.0
#include "confdir/selection.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "confdir/init_plan.h"

namespace cmk {

namespace {

using Lists = std::vector<const CpuList*>;

constexpr std::array<std::string_view, 3> kSocketPools{kExclusivePool, kSharedPool,
                                                       kNonIsolcpusPool};

std::string join_or_none(const std::vector<std::string>& texts) {
    return texts.empty() ? "none" : join(texts, " ");
}

bool names_socket(const std::string& request, const std::string& socket) {
    const auto wanted = parse_unsigned(request);
    return request == socket || (wanted && wanted == parse_unsigned(socket));
}

Error unknown_pool(const DirectoryContent& content, const std::string& name) {
    std::vector<std::string> names;
    for (const ListedPool& pool : content.pools)
        names.push_back(pool.name);
    return make_error(Errc::unknown_pool, "Requested pool " + name + " does not exist; pools in " +
                                              content.path + ": " + join_or_none(names));
}

/// In numeric order, those of the requested socket.
Result<Lists> candidates(const ListedPool& pool, const ListRequest& request) {
    Lists lists = in_numeric_order(pool);
    const bool counts =
        std::find(kSocketPools.begin(), kSocketPools.end(), pool.name) != kSocketPools.end();
    if (!counts || request.socket.empty() || request.socket == "-1") return lists;
    const bool known = std::any_of(
        pool.sockets.begin(), pool.sockets.end(),
        [&](const std::string& socket) { return names_socket(request.socket, socket); });
    if (!known) {
        return make_error(Errc::invalid_argument,
                          "pool " + pool.name + " has no socket " + quote(request.socket) +
                              "; its sockets: " + join_or_none(pool.sockets));
    }
    std::erase_if(lists,
                  [&](const CpuList* list) { return !names_socket(request.socket, list->socket); });
    return lists;
}

/// CPUs of exclusive lists in use. Lists overlap only in directories edited by hand.
CpuSet cpus_in_use(const DirectoryContent& content) {
    CpuSet cpus;
    for (const ListedPool& pool : content.pools) {
        for (const CpuList& list : pool.lists) {
            if (pool.exclusive && !list.tasks.empty()) cpus |= list.set();
        }
    }
    return cpus;
}

std::string busy_text(const CpuList& list) {
    if (list.tasks.empty()) return list.name + " (a list with the same CPUs is in use)";
    std::vector<std::string> pids;
    for (const Task& task : list.tasks)
        pids.push_back(std::to_string(task.pid));
    return list.name + " (process " + join(pids, ", ") + ")";
}

Error not_enough(const ListRequest& request, const Lists& all, const Lists& free) {
    std::vector<std::string> names, busy;
    for (const CpuList* list : all) {
        const bool is_free = std::find(free.begin(), free.end(), list) != free.end();
        is_free ? names.push_back(list->name) : busy.push_back(busy_text(*list));
    }
    const bool any_socket = request.socket.empty() || request.socket == "-1";
    return make_error(
        Errc::not_enough_cpus,
        "Not enough free cpu lists in pool " + request.pool + ": " + std::to_string(request.count) +
            " wanted" + (any_socket ? "" : " on socket " + request.socket) + ", free: " +
            join_or_none(names) + ", in use: " + (busy.empty() ? "none" : join(busy, ", ")) +
            "; `reconcile` frees what processes that have ended left behind");
}

Result<Lists> select_exclusive(const DirectoryContent& content, const ListRequest& request,
                               const Lists& all) {
    if (request.count == 0) {
        return make_error(Errc::invalid_argument,
                          "CMK_NUM_CORES is 0; it must be positive integer");
    }
    CpuSet in_use = cpus_in_use(content);
    Lists free;
    for (const CpuList* list : all) {
        if (!list->tasks.empty() || in_use.intersects(list->set())) continue;
        in_use |= list->set();
        free.push_back(list);
    }
    if (free.size() < request.count) return not_enough(request, all, free);
    free.resize(request.count);
    return free;
}

}  // namespace

Result<Lists> select_lists(const DirectoryContent& content, const ListRequest& request) {
    const ListedPool* pool = content.find(request.pool);
    if (pool == nullptr) return unknown_pool(content, request.pool);
    CMK_TRY_ASSIGN(const Lists lists, candidates(*pool, request));
    if (pool->exclusive) return select_exclusive(content, request, lists);
    const auto least = std::min_element(
        lists.begin(), lists.end(),
        [](const CpuList* a, const CpuList* b) { return a->tasks.size() < b->tasks.size(); });
    if (least != lists.end()) return Lists{*least};
    return make_error(Errc::not_enough_cpus,
                      "No cpu lists in pool " + pool->name +
                          "; its sockets have none: " + join_or_none(pool->sockets));
}

}  // namespace cmk
