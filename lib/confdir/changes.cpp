// SPDX-License-Identifier: Apache-2.0
#include "confdir/changes.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace cmk {

namespace {

Status write_all(const UniqueFd& file, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const ssize_t written = ::write(file.get(), text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno_error(errno, "cannot write " + path);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace

Status Changes::before(const std::string& what, const std::string& path) const {
    const int number = hook_ ? hook_(path) : 0;
    if (number == 0) return {};
    return errno_error(number, "cannot " + what + " " + path);
}

Status Changes::make_dir(const std::string& path) const {
    CMK_TRY(before("make", path));
    if (::mkdir(path.c_str(), 0777) == 0) return {};
    return errno_error(errno, "cannot make directory " + path);
}

Status Changes::make_file(const std::string& path, std::string_view text) const {
    CMK_TRY(before("make", path));
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file) return errno_error(errno, "cannot make " + path);
    return write_all(file, text, path);
}

Result<UniqueFd> Changes::write(const std::string& path, std::string_view text, unsigned mode,
                                bool sync) const {
    CMK_TRY(before("create", path));
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (!file) return errno_error(errno, "cannot create " + path);
    CMK_TRY(before("write", path));
    CMK_TRY(write_all(file, text, path));
    if (mode != 0 && ::fchmod(file.get(), mode) < 0) {
        return errno_error(errno, "cannot set the mode of " + path);
    }
    if (sync && ::fsync(file.get()) < 0) return errno_error(errno, "cannot sync " + path);
    return file;
}

Status Changes::rename(const std::string& from, const std::string& to) const {
    CMK_TRY(before("replace", to));
    if (::rename(from.c_str(), to.c_str()) == 0) return {};
    return errno_error(errno, "cannot rename " + from + " to " + to);
}

Status Changes::rename_new(const std::string& from, const std::string& to) const {
    CMK_TRY(before("make", to));
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
        return {};
    }
    // Some file systems know no flags; a plain rename does not replace a full directory either.
    if (errno == EINVAL && ::rename(from.c_str(), to.c_str()) == 0) return {};
    return errno_error(errno, "cannot rename " + from + " to " + to);
}

Status Changes::remove_file(const std::string& path) const {
    CMK_TRY(before("remove", path));
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
    return errno_error(errno, "cannot remove " + path);
}

Status Changes::remove_tree(const std::string& path) const {
    CMK_TRY(before("remove", path));
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (!error) return {};
    return errno_error(error.value(), "cannot remove " + path);
}

}  // namespace cmk
