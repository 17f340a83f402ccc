// SPDX-License-Identifier: Apache-2.0
#include "confdir/init.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/file_io.h"
#include "base/text.h"
#include "confdir/init_plan.h"
#include "confdir/tree_builder.h"

namespace cmk {

namespace {

constexpr char kLock[] = "lock";
constexpr char kPools[] = "pools";
constexpr char kAside[] = ".cmk-init-pools";

enum class Found { nothing, unfinished, pools };

bool is_ours_unfinished(const std::string& name) {
    return name == kLock || name == kPools || name == kAside;
}

/// What is at the directory's place. Errors: conflict for other people's files.
Result<Found> examine(const std::string& path) {
    auto names = list_dir_at(AT_FDCWD, path);
    if (!names && names.error().sys_errno == ENOENT) return Found::nothing;
    if (!names) return std::move(names).error();
    if (std::find(names->begin(), names->end(), kPools) != names->end()) {
        CMK_TRY_ASSIGN(const auto pools, list_dir_at(AT_FDCWD, path + "/" + kPools));
        if (!pools.empty()) return Found::pools;
    }
    for (const std::string& name : *names) {
        if (is_ours_unfinished(name) || name == "lost+found") continue;
        return make_error(Errc::conflict,
                          path + " has " + quote(name) +
                              " but no pools, so it is no configuration directory; take it away or "
                              "choose another --conf-dir");
    }
    return Found::unfinished;
}

/// Under the lock.
Result<InitOutcome> compare(const ConfDir& directory, const Topology& topology,
                            const InitCounts& requested) {
    CMK_TRY_ASSIGN(const DirectoryContent content, directory.read());
    CMK_TRY_ASSIGN(const auto differences, count_differences(content, topology, requested));
    if (differences.empty()) return InitOutcome::existed;
    return make_error(Errc::conflict, join(differences, "\n"));
}

Status fill_pools(const ConfDir& directory, const std::vector<PoolLayout>& layout) {
    const Changes& changes = directory.changes();
    const std::string aside = directory.path() + "/" + kAside;
    const auto attempt = [&]() -> Status {
        CMK_TRY(changes.remove_tree(aside));
        CMK_TRY(build_pools(changes, aside, layout));
        return changes.rename(aside, directory.path() + "/" + kPools);
    };
    Status filled = attempt();
    if (!filled) (void)changes.remove_tree(aside);
    return filled;
}

/// Fills a directory that exists. Its lock comes first, as for the original; nobody takes a
/// directory without pools for one that can be used.
Result<InitOutcome> fill(const ConfDir& directory, const std::vector<PoolLayout>& layout,
                         const Topology& topology, const InitCounts& requested) {
    const std::string lock_path = directory.path() + "/" + kLock;
    const Status made = directory.changes().make_file(lock_path, "");
    if (!made && made.error().sys_errno != EEXIST) return made.error();
    CMK_TRY_ASSIGN(const DirectoryLock lock, directory.lock());
    CMK_TRY_ASSIGN(const Found found, examine(directory.path()));
    if (found == Found::pools) return compare(directory, topology, requested);
    if (Status filled = fill_pools(directory, layout); !filled) {
        if (made) (void)directory.changes().remove_file(lock_path);
        return std::move(filled).error();
    }
    return InitOutcome::created;
}

Status build_directory(const Changes& changes, const std::string& path,
                       const std::vector<PoolLayout>& layout) {
    CMK_TRY(changes.make_file(path + "/" + kLock, ""));
    return build_pools(changes, path + "/" + kPools, layout);
}

/// Builds a directory beside the one that is wanted. False where somebody else was faster.
Result<bool> create(const ConfDir& directory, const std::vector<PoolLayout>& layout) {
    const Changes& changes = directory.changes();
    CMK_TRY_ASSIGN(const MadeParents parents, MadeParents::of(changes, directory.path()));
    auto aside = make_sibling(changes, directory.path());
    if (!aside) {
        parents.remove();
        return std::move(aside).error();
    }
    Status built = build_directory(changes, *aside, layout);
    Status placed = built ? changes.rename_new(*aside, directory.path()) : built;
    if (placed) return true;
    (void)changes.remove_tree(*aside);
    const int number = placed.error().sys_errno;
    if (built && (number == EEXIST || number == ENOTEMPTY)) return false;
    parents.remove();
    return std::move(placed).error();
}

Error half_built(const DirectoryContent& content, const std::string& what) {
    return make_error(Errc::conflict, content.path + "/pools has no " + what +
                                          ": an init that failed has left it half-built; remove "
                                          "the directory and try again");
}

std::size_t cores_of(const ListedPool& pool, const Topology& topology) {
    std::set<unsigned> cores;
    for (const CpuList& list : pool.lists) {
        for (const unsigned cpu : list.cpus) {
            if (const Core* core = topology.core_of(cpu)) cores.insert(core->index);
        }
    }
    return cores.size();
}

void add_difference(std::vector<std::string>& texts, const char* pool, std::size_t found,
                    unsigned requested) {
    if (found == requested) return;
    texts.push_back(std::to_string(found) + " " + pool + " cores (" + std::to_string(requested) +
                    " requested)");
}

}  // namespace

Result<std::vector<std::string>> count_differences(const DirectoryContent& content,
                                                   const Topology& topology,
                                                   const InitCounts& requested) {
    const ListedPool* exclusive = content.find(kExclusivePool);
    if (exclusive == nullptr) return half_built(content, "pool exclusive");
    const ListedPool* shared = content.find(kSharedPool);
    if (shared == nullptr) return half_built(content, "pool shared");
    const ListedPool* infra = content.find(kInfraPool);  // a directory made by hand can do without
    if (infra != nullptr && infra->lists.empty()) return half_built(content, "CPU list in infra");
    std::vector<std::string> texts;
    add_difference(texts, kExclusivePool, exclusive->lists.size(), requested.exclusive);
    add_difference(texts, kSharedPool, cores_of(*shared, topology), requested.shared);
    return texts;
}

Result<InitOutcome> init_directory(const ConfDir& directory, const std::vector<PoolLayout>& layout,
                                   const Topology& topology, const InitCounts& requested) {
    CMK_TRY_ASSIGN(Found found, examine(directory.path()));
    if (found == Found::nothing) {
        CMK_TRY_ASSIGN(const bool created, create(directory, layout));
        if (created) return InitOutcome::created;
        CMK_TRY_ASSIGN(found, examine(directory.path()));
    }
    if (found != Found::pools) return fill(directory, layout, topology, requested);
    CMK_TRY(check_existing(directory, topology, requested));
    return InitOutcome::existed;
}

Result<bool> has_pools(const ConfDir& directory) {
    CMK_TRY_ASSIGN(const Found found, examine(directory.path()));
    return found == Found::pools;
}

Status check_existing(const ConfDir& directory, const Topology& topology,
                      const InitCounts& requested) {
    CMK_TRY_ASSIGN(const DirectoryLock lock, directory.lock());
    CMK_TRY(compare(directory, topology, requested));
    return {};
}

}  // namespace cmk
