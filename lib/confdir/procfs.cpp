// SPDX-License-Identifier: Apache-2.0
#include "confdir/procfs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

Result<ProcFs> ProcFs::open(std::string root) {
    CMK_TRY_ASSIGN(const auto names, list_dir_at(AT_FDCWD, root));
    const bool any = std::any_of(names.begin(), names.end(), [](const std::string& name) {
        return parse_unsigned(name, INT_MAX).has_value();
    });
    if (any) return ProcFs(std::move(root));
    return make_error(Errc::unavailable, root +
                                             " has no process and so is no procfs; set CMK_PROC_FS "
                                             "to where the host's procfs is mounted");
}

Result<Task> ProcFs::self() const {
    return read_stat("self");
}

Result<Task> ProcFs::find(int pid) const {
    return read_stat(std::to_string(pid));
}

Result<Task> ProcFs::read_stat(const std::string& process) const {
    const std::string path = root_ + "/" + process + "/stat";
    CMK_TRY_ASSIGN(const std::string text, read_file_at(AT_FDCWD, path));
    const auto pid = parse_unsigned(std::string_view(text).substr(0, text.find(' ')), INT_MAX);
    if (!pid) return make_error(Errc::internal, path + " does not begin with a process id");
    Task task{.pid = static_cast<int>(*pid)};
    const std::size_t close = text.rfind(')');
    if (close == std::string::npos || close + 2 > text.size()) return task;
    // Field 22 of the line is the 20th after the command, which can have blanks.
    const auto fields = split(std::string_view(text).substr(close + 2), ' ');
    if (fields.size() > 19) task.start_time = parse_unsigned(trim(fields[19]));
    return task;
}

bool ProcFs::is_alive(const Task& task) const {
    const std::string path = root_ + "/" + std::to_string(task.pid);
    // Only a process that is surely not there counts as dead.
    if (::access(path.c_str(), F_OK) < 0) return errno != ENOENT;
    const auto now = find(task.pid);
    return !now || !task.start_time || !now->start_time || *now->start_time == *task.start_time;
}

std::vector<int> ProcFs::children(int pid) const {
    const std::string process = std::to_string(pid);
    std::vector<int> pids;
    const auto threads = list_dir_at(AT_FDCWD, root_ + "/" + process + "/task");
    for (const std::string& thread : threads ? *threads : std::vector<std::string>{}) {
        const auto text =
            read_file_at(AT_FDCWD, root_ + "/" + process + "/task/" + thread + "/children");
        if (!text) continue;
        for (const std::string_view word : split(*text, ' ')) {
            if (const auto child = parse_unsigned(word, INT_MAX)) {
                pids.push_back(static_cast<int>(*child));
            }
        }
    }
    return pids;
}

Result<CpuSet> ProcFs::allowed_cpus(int pid) const {
    const std::string path = root_ + "/" + std::to_string(pid) + "/status";
    CMK_TRY_ASSIGN(const std::string text, read_file_at(AT_FDCWD, path));
    for (const std::string_view line : split(text, '\n')) {
        constexpr std::string_view kKey = "Cpus_allowed_list:";
        if (line.starts_with(kKey)) return CpuSet::parse(trim(line.substr(kKey.size())));
    }
    return make_error(Errc::invalid_argument, path + " has no Cpus_allowed_list");
}

}  // namespace cmk
