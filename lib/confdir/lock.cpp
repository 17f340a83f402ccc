// SPDX-License-Identifier: Apache-2.0
#include "confdir/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/file_io.h"
#include "base/text.h"
#include "confdir/wake_up.h"

namespace cmk {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kMaxSeconds = 1e6;

/// ", process 12 holds it", from /proc/locks, or "" where the kernel does not tell.
std::string holder_of(const UniqueFd& file) {
    struct stat info {};
    const auto locks = read_file_at(AT_FDCWD, "/proc/locks", std::size_t{16} << 20);
    if (::fstat(file.get(), &info) < 0 || !locks) return "";
    char inode[64];
    std::snprintf(inode, sizeof inode, " %02x:%02x:%llu ", major(info.st_dev), minor(info.st_dev),
                  static_cast<unsigned long long>(info.st_ino));
    for (const std::string_view line : split(*locks, '\n')) {
        const std::size_t at = line.find(inode);
        if (at == std::string_view::npos || line.find("FLOCK") == std::string_view::npos ||
            line.find("->") != std::string_view::npos) {
            continue;
        }
        const std::string_view before = line.substr(0, at);
        const auto pid = parse_unsigned(before.substr(before.rfind(' ') + 1));
        if (pid && *pid > 0) return ", process " + std::to_string(*pid) + " holds it";
    }
    return "";
}

Error timeout_error(const std::string& path, const UniqueFd& file,
                    std::chrono::milliseconds timeout) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%g", static_cast<double>(timeout.count()) / 1000);
    return make_error(Errc::timed_out,
                      "no lock on " + path + " after " + seconds + " seconds" + holder_of(file) +
                          "; any cmk command that uses the directory can hold it for a moment: try "
                          "again, or set CMK_LOCK_TIMEOUT to more seconds");
}

/// Whether the path still names the file: removing the directory removes its lock.
bool is_current(const std::string& path, const UniqueFd& file) {
    struct stat named {
    }, locked{};
    return ::stat(path.c_str(), &named) == 0 && ::fstat(file.get(), &locked) == 0 &&
           named.st_dev == locked.st_dev && named.st_ino == locked.st_ino;
}

Result<UniqueFd> open_lock(const std::string& path) {
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (file) return file;
    const int number = errno;
    Error error = errno_error(number, "cannot open " + path);
    if (number == ENOENT) error.message += "; `init` makes it together with the pools";
    if (number == EROFS) error.message += "; mount the configuration directory writable";
    return error;
}

/// False where the deadline passes first.
Result<bool> wait_for(const std::string& path, const UniqueFd& file, Clock::time_point deadline) {
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) return errno_error(errno, "cannot lock " + path);
    if (deadline <= Clock::now()) return false;
    CMK_TRY_ASSIGN(const WakeUp wake_up, WakeUp::at(deadline));
    while (::flock(file.get(), LOCK_EX) < 0) {
        if (errno != EINTR) return errno_error(errno, "cannot lock " + path);
        if (deadline <= Clock::now()) return false;
    }
    return true;
}

}  // namespace

Result<std::chrono::milliseconds> parse_lock_timeout(std::optional<std::string_view> text) {
    if (!text) return kDefaultLockTimeout;
    const std::string_view number = trim(*text);
    double seconds = 0;
    const char* end = number.data() + number.size();
    const auto [stop, error] = std::from_chars(number.data(), end, seconds);
    if (number.empty() || error != std::errc{} || stop != end || !std::isfinite(seconds) ||
        seconds < 0 || seconds > kMaxSeconds) {
        return make_error(Errc::invalid_argument, "CMK_LOCK_TIMEOUT is " + quote(*text) +
                                                      "; expected seconds from 0 to 1000000");
    }
    return std::chrono::milliseconds(std::llround(seconds * 1000));
}

Result<DirectoryLock> DirectoryLock::acquire(const std::string& directory,
                                             std::chrono::milliseconds timeout) {
    const std::string path = directory + "/lock";
    const Clock::time_point deadline = Clock::now() + timeout;
    for (;;) {
        CMK_TRY_ASSIGN(UniqueFd file, open_lock(path));
        CMK_TRY_ASSIGN(const bool locked, wait_for(path, file, deadline));
        if (!locked) return timeout_error(path, file, timeout);
        if (is_current(path, file)) return DirectoryLock(std::move(file));
    }
}

DirectoryLock::~DirectoryLock() {
    // A child that was forked meanwhile has the description open too.
    if (file_) ::flock(file_.get(), LOCK_UN);
}

}  // namespace cmk
