// SPDX-License-Identifier: Apache-2.0
#include "confdir/claims.h"

#include <algorithm>

namespace cmk {

namespace {

/// Puts the lists before `count` back to what they had.
void take_back(const ConfDir& directory, const std::vector<const CpuList*>& lists,
               std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        (void)directory.write_tasks(*lists[i], lists[i]->tasks);
}

/// An entry of another start time is that of another process.
bool is_same(const Task& entry, const Task& task) {
    return entry.pid == task.pid &&
           (!entry.start_time || !task.start_time || *entry.start_time == *task.start_time);
}

Status release_list(const ConfDir& directory, const CpuList& list, const Task& task) {
    std::vector<Task> tasks = list.tasks;
    const auto at = std::find_if(tasks.begin(), tasks.end(),
                                 [&](const Task& entry) { return is_same(entry, task); });
    if (at == tasks.end()) return {};
    tasks.erase(at);
    return directory.write_tasks(list, tasks);
}

}  // namespace

Result<Claim> claim_lists(const ConfDir& directory, const ListRequest& request, const Task& task) {
    CMK_TRY_ASSIGN(const DirectoryLock lock, directory.lock());
    CMK_TRY_ASSIGN(DirectoryContent content, directory.read());
    CMK_TRY_ASSIGN(const auto selected, select_lists(content, request));
    Claim claim;
    for (std::size_t i = 0; i < selected.size(); ++i) {
        CpuList list = *selected[i];
        list.tasks.push_back(task);
        if (Status written = directory.write_tasks(list, list.tasks); !written) {
            take_back(directory, selected, i);
            return std::move(written).error();
        }
        claim.lists.push_back(std::move(list));
    }
    claim.content = std::move(content);
    return claim;
}

Status release_lists(const ConfDir& directory, const std::vector<CpuList>& lists,
                     const Task& task) {
    CMK_TRY_ASSIGN(const DirectoryLock lock, directory.lock());
    CMK_TRY_ASSIGN(const DirectoryContent content, directory.read());
    Status result;
    for (const CpuList* list : content.lists()) {
        const bool mine = std::any_of(lists.begin(), lists.end(), [&](const CpuList& each) {
            return each.path() == list->path();
        });
        if (!mine) continue;
        if (Status released = release_list(directory, *list, task); !released && result) {
            result = std::move(released);
        }
    }
    return result;
}

}  // namespace cmk
