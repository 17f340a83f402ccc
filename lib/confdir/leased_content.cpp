// SPDX-License-Identifier: Apache-2.0
#include "confdir/leased_content.h"

#include <algorithm>
#include <tuple>

#include "confdir/layout.h"
#include "confdir/list_name.h"

namespace cmk {

namespace {

std::vector<Task> tasks_on(const CpuSet& cpus, const std::string& pool,
                           const std::vector<Lease>& leases) {
    std::vector<Task> tasks;
    for (const Lease& lease : leases) {
        if (lease.pool != pool || lease.owner.pid == 0 || !lease.cpus.intersects(cpus)) continue;
        tasks.push_back({.pid = lease.owner.pid, .start_time = lease.owner.start_time});
    }
    std::sort(tasks.begin(), tasks.end(),
              [](const Task& a, const Task& b) { return a.pid < b.pid; });
    return tasks;
}

ListedPool pool_of(const PoolLayout& layout, const std::vector<Lease>& leases) {
    ListedPool pool{.name = layout.name, .exclusive = layout.exclusive};
    for (const auto& [socket, names] : layout.sockets) {
        pool.sockets.push_back(std::to_string(socket));
        for (const std::string& name : names) {
            CpuList list{.pool = layout.name, .socket = pool.sockets.back(), .name = name};
            if (auto cpus = parse_list_name(name)) list.cpus = *std::move(cpus);
            list.tasks = tasks_on(list.set(), layout.name, leases);
            pool.lists.push_back(std::move(list));
        }
    }
    std::sort(pool.sockets.begin(), pool.sockets.end());
    std::sort(pool.lists.begin(), pool.lists.end(), [](const CpuList& a, const CpuList& b) {
        return std::tie(a.socket, a.name) < std::tie(b.socket, b.name);
    });
    return pool;
}

}  // namespace

DirectoryContent content_of(const std::string& path, const Topology& topology,
                            const std::vector<PoolReport>& pools,
                            const std::vector<Lease>& leases) {
    PoolPlan plan;
    for (const PoolReport& report : pools)
        plan.pools.push_back(report.pool);
    DirectoryContent content{.path = normalised_path(path)};
    for (const PoolLayout& layout : make_layout(plan, topology))
        content.pools.push_back(pool_of(layout, leases));
    std::sort(content.pools.begin(), content.pools.end(),
              [](const ListedPool& a, const ListedPool& b) { return a.name < b.name; });
    return content;
}

}  // namespace cmk
