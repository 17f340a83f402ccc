// SPDX-License-Identifier: Apache-2.0
#include "confdir/removal.h"

#include <unistd.h>

#include "base/text.h"

namespace cmk {

namespace {

constexpr char kRemoved[] = "/.cmk-removed";

bool exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

Status check_unused(const DirectoryContent& content) {
    std::vector<std::string> users;
    for (const CpuList* list : content.lists()) {
        for (const Task& task : list->tasks)
            users.push_back(std::to_string(task.pid) + " in " + list->pool + " " + list->name);
    }
    if (users.empty()) return {};
    return make_error(Errc::conflict, "There are running tasks in " + content.path + ": process " +
                                          join(users, ", ") + "; end them and try again");
}

/// One rename takes the pools away, so that nobody sees half of them.
Status remove_all(const ConfDir& directory) {
    const std::string& path = directory.path();
    const Changes& changes = directory.changes();
    CMK_TRY(changes.remove_tree(path + kRemoved));
    if (exists(path + "/pools")) CMK_TRY(changes.rename(path + "/pools", path + kRemoved));
    CMK_TRY(changes.remove_tree(path + kRemoved));
    return changes.remove_file(path + "/lock");
}

}  // namespace

Result<std::vector<ReclaimedTask>> remove_pools(const ConfDir& directory, const ProcFs& procfs) {
    std::vector<ReclaimedTask> reclaimed;
    const std::string& path = directory.path();
    if (!exists(path + "/lock") && !exists(path + "/pools")) return reclaimed;
    CMK_TRY_ASSIGN(const DirectoryLock lock, directory.lock());
    if (exists(path + "/pools")) {
        CMK_TRY_ASSIGN(DirectoryContent content, directory.read());
        CMK_TRY_ASSIGN(reclaimed, reclaim_dead_tasks(directory, procfs, content));
        CMK_TRY(check_unused(content));
    }
    CMK_TRY(remove_all(directory));
    return reclaimed;
}

}  // namespace cmk
