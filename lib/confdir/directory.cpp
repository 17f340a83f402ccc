// SPDX-License-Identifier: Apache-2.0
#include "confdir/directory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file_io.h"
#include "confdir/list_name.h"
#include "confdir/tasks_file.h"

namespace cmk {

namespace {

constexpr char kTasks[] = "/tasks";
constexpr char kStarts[] = "/starts";
constexpr char kNewTasks[] = "/.tasks.new";
constexpr char kNewStarts[] = "/.starts.new";

/// Subdirectories, sorted; files are of no interest.
Result<std::vector<std::string>> subdirectories(const std::string& path) {
    CMK_TRY_ASSIGN(std::vector<std::string> names, list_dir_at(AT_FDCWD, path));
    std::erase_if(names, [&](const std::string& name) {
        struct stat info {};
        return ::stat((path + "/" + name).c_str(), &info) < 0 || !S_ISDIR(info.st_mode);
    });
    return names;
}

TasksStamp stamp_of(const struct stat& info) {
    return {.inode = info.st_ino,
            .modified = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

/// The stamp before the text: a file that changes in between has a stamp that fits no companion.
Result<std::pair<TasksStamp, std::vector<int>>> read_tasks(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) < 0) return errno_error(errno, "cannot read " + path);
    if (!S_ISREG(info.st_mode)) {
        return make_error(Errc::invalid_argument, path + " is no regular file");
    }
    CMK_TRY_ASSIGN(const std::string text, read_file_at(AT_FDCWD, path));
    auto pids = parse_tasks(text);
    if (!pids) return with_context(std::move(pids).error(), path);
    return std::pair(stamp_of(info), *std::move(pids));
}

}  // namespace

ConfDir::ConfDir(const std::string& path, std::chrono::milliseconds lock_timeout, Changes changes)
    : path_(normalised_path(path)), lock_timeout_(lock_timeout), changes_(std::move(changes)) {}

Result<DirectoryLock> ConfDir::lock() const {
    return DirectoryLock::acquire(path_, lock_timeout_);
}

Result<DirectoryContent> ConfDir::read() const {
    CMK_TRY_ASSIGN(const auto names, subdirectories(path_ + "/pools"));
    DirectoryContent content{.path = path_, .pools = {}};
    for (const std::string& name : names) {
        CMK_TRY_ASSIGN(ListedPool pool, read_pool(name));
        content.pools.push_back(std::move(pool));
    }
    return content;
}

Result<ListedPool> ConfDir::read_pool(const std::string& name) const {
    const std::string dir = path_ + "/pools/" + name;
    CMK_TRY_ASSIGN(const std::string exclusive, read_file_at(AT_FDCWD, dir + "/exclusive"));
    CMK_TRY_ASSIGN(std::vector<std::string> sockets, subdirectories(dir));
    ListedPool pool{.name = name,
                    .exclusive = exclusive.starts_with('1'),
                    .sockets = std::move(sockets),
                    .lists = {}};
    for (const std::string& socket : pool.sockets)
        CMK_TRY(read_socket(pool, socket));
    return pool;
}

Status ConfDir::read_socket(ListedPool& pool, const std::string& socket) const {
    const std::string dir = path_ + "/pools/" + pool.name + "/" + socket;
    CMK_TRY_ASSIGN(const auto names, subdirectories(dir));
    for (const std::string& name : names) {
        CpuList list{.pool = pool.name, .socket = socket, .name = name, .cpus = {}, .tasks = {}};
        CMK_TRY_ASSIGN(list, read_list(std::move(list)));
        pool.lists.push_back(std::move(list));
    }
    return {};
}

Result<CpuList> ConfDir::read_list(CpuList list) const {
    const std::string dir = path_ + "/" + list.path();
    auto cpus = parse_list_name(list.name);
    if (!cpus) return with_context(std::move(cpus).error(), dir);
    list.cpus = *std::move(cpus);
    CMK_TRY_ASSIGN(const auto tasks, read_tasks(dir + kTasks));
    const auto starts = read_file_at(AT_FDCWD, dir + kStarts);
    list.tasks =
        with_start_times(tasks.second, tasks.first, starts ? parse_starts(*starts) : std::nullopt);
    return list;
}

Status ConfDir::write_tasks(const CpuList& list, const std::vector<Task>& tasks) const {
    const std::string dir = path_ + "/" + list.path();
    struct stat info {};
    if (::stat((dir + kTasks).c_str(), &info) < 0) {
        return errno_error(errno, "cannot read " + dir + kTasks);
    }
    const auto attempt = [&]() -> Status {
        CMK_TRY_ASSIGN(const UniqueFd file, changes_.write(dir + kNewTasks, format_tasks(tasks),
                                                           info.st_mode & 07777, true));
        // The companion first: until the rename it belongs to no file and so does not count.
        CMK_TRY(write_starts(dir, tasks, file));
        return changes_.rename(dir + kNewTasks, dir + kTasks);
    };
    Status done = attempt();
    if (!done) {
        (void)changes_.remove_file(dir + kNewTasks);
        (void)changes_.remove_file(dir + kNewStarts);
    }
    return done;
}

Status ConfDir::write_starts(const std::string& dir, const std::vector<Task>& tasks,
                             const UniqueFd& tasks_file) const {
    const bool any = std::any_of(tasks.begin(), tasks.end(),
                                 [](const Task& task) { return task.start_time.has_value(); });
    if (!any) return changes_.remove_file(dir + kStarts);
    struct stat info {};
    if (::fstat(tasks_file.get(), &info) < 0) return errno_error(errno, "cannot read " + dir);
    CMK_TRY(changes_.write(dir + kNewStarts, format_starts(stamp_of(info), tasks), 0, false));
    return changes_.rename(dir + kNewStarts, dir + kStarts);
}

}  // namespace cmk
