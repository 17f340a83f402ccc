// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "confdir/changes.h"
#include "confdir/content.h"
#include "confdir/lock.h"

namespace cmk {

/// A configuration directory of the original's format, which processes of both can use at once:
///
///     lock                                      flock(2)ed by whoever reads or changes pools
///     pools/<pool>/exclusive                    first byte "1": a CPU list has one user at a time
///     pools/<pool>/<socket>/<list>/tasks        process ids, "12,13"
///     pools/<pool>/<socket>/<list>/starts       ours: when these processes started
///
/// Files beside these are ignored. A value type: it keeps no descriptor open.
class ConfDir {
public:
    explicit ConfDir(const std::string& path,
                     std::chrono::milliseconds lock_timeout = kDefaultLockTimeout,
                     Changes changes = {});

    const std::string& path() const { return path_; }
    const Changes& changes() const { return changes_; }

    /// Errors: as DirectoryLock::acquire().
    Result<DirectoryLock> lock() const;

    /// All pools. Call it under the lock, or get what may change meanwhile.
    /// Errors: io and invalid_argument, with the path of the file or directory that is missing or
    /// malformed; nothing is guessed.
    Result<DirectoryContent> read() const;

    /// Replaces the tasks of a list by rename: readers and a crash see the old or the new ones.
    /// Only under the lock. Errors: io, with the path; the old tasks stay.
    Status write_tasks(const CpuList& list, const std::vector<Task>& tasks) const;

private:
    Result<ListedPool> read_pool(const std::string& name) const;
    Status read_socket(ListedPool& pool, const std::string& socket) const;
    Result<CpuList> read_list(CpuList list) const;
    Status write_starts(const std::string& dir, const std::vector<Task>& tasks,
                        const UniqueFd& tasks_file) const;

    std::string path_;
    std::chrono::milliseconds lock_timeout_;
    Changes changes_;
};

}  // namespace cmk
