// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cmk::compat {

/// A process as the host's procfs knows it. An id alone may have been given to another process
/// since; with the start time it names one process of this boot.
struct ProcessId {
    pid_t pid = 0;
    std::uint64_t start_time = 0;  ///< clock ticks since boot

    friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

/// The process id in the text of a proc stat file, its first field. Errors: invalid_argument.
Result<pid_t> pid_in_stat(std::string_view stat);

/// The start time in the text of a proc stat file, its field 22, whatever the command in field 2
/// is called. Errors: invalid_argument.
Result<std::uint64_t> start_time_in_stat(std::string_view stat);

/// This process's id in the procfs mounted at `proc_fs`: the host's, where getpid() would tell that
/// of a container. Errors: io, or invalid_argument for a file that is no stat file; the path is
/// named.
Result<pid_t> own_pid(const std::string& proc_fs);

/// When a process started. Errors: as of own_pid(); io with ENOENT for one that is not there.
Result<std::uint64_t> start_time_of(const std::string& proc_fs, pid_t pid);

}  // namespace cmk::compat
