// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/process_id.h"

#include <fcntl.h>

#include <limits>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk::compat {

namespace {

/// Of the fields after the command's closing parenthesis, which is field 2.
constexpr std::size_t kStartTimeField = 22 - 3;

Error no_stat(const char* what) {
    return make_error(Errc::invalid_argument, std::string("it has no ") + what);
}

}  // namespace

Result<pid_t> pid_in_stat(std::string_view stat) {
    const auto pid =
        parse_unsigned(stat.substr(0, stat.find(' ')), std::numeric_limits<pid_t>::max());
    if (!pid || *pid == 0) return no_stat("process id");
    return static_cast<pid_t>(*pid);
}

Result<std::uint64_t> start_time_in_stat(std::string_view stat) {
    // The command may hold blanks and parentheses itself; nothing after it does.
    const std::size_t end = stat.rfind(") ");
    if (end == std::string_view::npos) return no_stat("command");
    const auto fields = split(trim(stat.substr(end + 2)), ' ');
    if (fields.size() <= kStartTimeField) return no_stat("start time");
    const auto time = parse_unsigned(fields[kStartTimeField]);
    if (!time) return no_stat("start time");
    return *time;
}

Result<pid_t> own_pid(const std::string& proc_fs) {
    const std::string path = proc_fs + "/self/stat";
    CMK_TRY_ASSIGN(const std::string stat, read_file_at(AT_FDCWD, path));
    auto pid = pid_in_stat(stat);
    if (!pid) return with_context(pid.error(), path);
    return pid;
}

Result<std::uint64_t> start_time_of(const std::string& proc_fs, pid_t pid) {
    const std::string path = proc_fs + "/" + std::to_string(pid) + "/stat";
    CMK_TRY_ASSIGN(const std::string stat, read_file_at(AT_FDCWD, path));
    auto time = start_time_in_stat(stat);
    if (!time) return with_context(time.error(), path);
    return time;
}

}  // namespace cmk::compat
