// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "confdir/content.h"

namespace cmk {

/// The process ids of a `tasks` file: split at commas, empty pieces dropped, blanks and line ends
/// around a number allowed. Errors: invalid_argument for anything else (also a lone newline, as in
/// the original).
Result<std::vector<int>> parse_tasks(std::string_view text);

/// "12,13", without a newline.
std::string format_tasks(const std::vector<Task>& tasks);

/// Which version of a `tasks` file a `starts` file was written for.
struct TasksStamp {
    std::uint64_t inode = 0;
    std::int64_t modified = 0;  ///< nanoseconds since the epoch

    friend bool operator==(const TasksStamp&, const TasksStamp&) = default;
};

/// The companion `starts` beside `tasks`: when the processes started. The original ignores it and
/// rewrites `tasks` alone, after which the same id can be another process of its own. So a
/// companion counts only for the very file that it was written for.
struct Starts {
    TasksStamp stamp;
    std::map<int, std::uint64_t> start_times;  ///< by process id

    friend bool operator==(const Starts&, const Starts&) = default;
};

/// "<inode>:<modified> <pid>:<start time>,..."; a task without a start time has no entry.
std::string format_starts(const TasksStamp& stamp, const std::vector<Task>& tasks);

/// Nothing for a text of another form: then existence alone tells whether a task lives.
std::optional<Starts> parse_starts(std::string_view text);

/// The tasks with the start times that are known of them.
std::vector<Task> with_start_times(const std::vector<int>& pids, const TasksStamp& stamp,
                                   const std::optional<Starts>& starts);

}  // namespace cmk
