// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace cmk {

/// How long to wait for the lock where CMK_LOCK_TIMEOUT is not set.
inline constexpr std::chrono::milliseconds kDefaultLockTimeout{30'000};

/// The value of CMK_LOCK_TIMEOUT: seconds, with or without a fraction; nothing gives the default.
/// Errors: invalid_argument.
Result<std::chrono::milliseconds> parse_lock_timeout(std::optional<std::string_view> text);

/// The directory's lock, held until the end of its life: flock(LOCK_EX) on `<directory>/lock` by an
/// open file description of its own, so that it excludes the original and other threads alike.
class DirectoryLock {
public:
    /// Waits in the kernel for at most `timeout`; 0 does not wait. While it waits it uses the
    /// signal SIGRTMAX, whose disposition it puts back. A lock file that was replaced or removed
    /// while waiting is looked up again.
    /// Errors: timed_out, naming the holder where the kernel does; io, with the path, for a
    /// directory without a lock and a read-only mount.
    static Result<DirectoryLock> acquire(const std::string& directory,
                                         std::chrono::milliseconds timeout);

    DirectoryLock(DirectoryLock&&) = default;
    DirectoryLock& operator=(DirectoryLock&&) = delete;
    DirectoryLock(const DirectoryLock&) = delete;
    DirectoryLock& operator=(const DirectoryLock&) = delete;
    ~DirectoryLock();

private:
    explicit DirectoryLock(UniqueFd file) : file_(std::move(file)) {}

    UniqueFd file_;
};

}  // namespace cmk
