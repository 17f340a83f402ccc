// SPDX-License-Identifier: Apache-2.0
#include "confdir/tasks_file.h"

#include <climits>
#include <utility>

#include "base/text.h"

namespace cmk {

namespace {

std::optional<std::pair<std::uint64_t, std::uint64_t>> parse_pair(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto first = parse_unsigned(text.substr(0, colon));
    const auto second = parse_unsigned(text.substr(colon + 1));
    if (!first || !second) return std::nullopt;
    return std::pair(*first, *second);
}

}  // namespace

Result<std::vector<int>> parse_tasks(std::string_view text) {
    std::vector<int> pids;
    for (const std::string_view piece : split(text, ',')) {
        if (piece.empty()) continue;
        const auto pid = parse_unsigned(trim(piece), INT_MAX);
        if (!pid) {
            return make_error(Errc::invalid_argument,
                              quote(piece) + " is no process id; expected ids such as 12,13");
        }
        pids.push_back(static_cast<int>(*pid));
    }
    return pids;
}

std::string format_tasks(const std::vector<Task>& tasks) {
    std::vector<std::string> pids;
    for (const Task& task : tasks)
        pids.push_back(std::to_string(task.pid));
    return join(pids, ",");
}

std::string format_starts(const TasksStamp& stamp, const std::vector<Task>& tasks) {
    std::vector<std::string> entries;
    for (const Task& task : tasks) {
        if (task.start_time) {
            entries.push_back(std::to_string(task.pid) + ":" + std::to_string(*task.start_time));
        }
    }
    return std::to_string(stamp.inode) + ":" + std::to_string(stamp.modified) + " " +
           join(entries, ",") + "\n";
}

std::optional<Starts> parse_starts(std::string_view text) {
    const auto words = split(trim(text), ' ');
    const auto stamp = parse_pair(words.front());
    if (words.size() != 2 || !stamp || stamp->second > INT64_MAX) return std::nullopt;
    Starts starts{
        .stamp = {.inode = stamp->first, .modified = static_cast<std::int64_t>(stamp->second)},
        .start_times = {}};
    for (const std::string_view entry : split(words.back(), ',')) {
        const auto pair = parse_pair(entry);
        if (!pair || pair->first > INT_MAX) return std::nullopt;
        starts.start_times[static_cast<int>(pair->first)] = pair->second;
    }
    return starts;
}

std::vector<Task> with_start_times(const std::vector<int>& pids, const TasksStamp& stamp,
                                   const std::optional<Starts>& starts) {
    const bool counts = starts && starts->stamp == stamp;
    std::vector<Task> tasks;
    for (const int pid : pids) {
        Task task{.pid = pid};
        if (counts) {
            const auto at = starts->start_times.find(pid);
            if (at != starts->start_times.end()) task.start_time = at->second;
        }
        tasks.push_back(task);
    }
    return tasks;
}

}  // namespace cmk
