// SPDX-License-Identifier: Apache-2.0
#include "confdir/reconcile.h"

#include <algorithm>

namespace cmk {

namespace {

/// Moves the dead tasks of a list from `tasks` to `reclaimed`.
bool take_dead(const CpuList& list, const ProcFs& procfs, std::vector<Task>& tasks,
               std::vector<ReclaimedTask>& reclaimed) {
    const auto count = std::erase_if(tasks, [&](const Task& task) {
        if (procfs.is_alive(task)) return false;
        reclaimed.push_back({.pid = task.pid, .pool = list.pool, .cpus = list.name});
        return true;
    });
    return count > 0;
}

}  // namespace

Result<std::vector<ReclaimedTask>> reclaim_dead_tasks(const ConfDir& directory,
                                                      const ProcFs& procfs,
                                                      DirectoryContent& content) {
    std::vector<ReclaimedTask> reclaimed;
    for (ListedPool& pool : content.pools) {
        for (CpuList& list : pool.lists) {
            std::vector<Task> tasks = list.tasks;
            if (!take_dead(list, procfs, tasks, reclaimed)) continue;
            CMK_TRY(directory.write_tasks(list, tasks));
            list.tasks = std::move(tasks);
        }
    }
    std::stable_sort(reclaimed.begin(), reclaimed.end(),
                     [](const auto& a, const auto& b) { return a.pid < b.pid; });
    return reclaimed;
}

Result<std::vector<ReclaimedTask>> reconcile(const ConfDir& directory, const ProcFs& procfs) {
    CMK_TRY_ASSIGN(const DirectoryLock lock, directory.lock());
    CMK_TRY_ASSIGN(DirectoryContent content, directory.read());
    return reclaim_dead_tasks(directory, procfs, content);
}

}  // namespace cmk
