// SPDX-License-Identifier: Apache-2.0
#include "base/file_io.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/handle.h"
#include "base/text.h"

namespace cmk {

namespace {

Status write_all(int fd, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno_error(errno, "cannot write " + path);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

/// In a directory of another user's anything may lie at that name, a link to elsewhere too.
Result<UniqueFd> create_anew(int dir, const std::string& path, unsigned mode) {
    ::unlinkat(dir, path.c_str(), 0);
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    UniqueFd fd(::openat(dir, path.c_str(), flags, mode));
    if (!fd) return errno_error(errno, "cannot create " + path);
    return fd;
}

}  // namespace

Result<std::string> read_file_at(int dir, const std::string& path, std::size_t max) {
    const UniqueFd fd(::openat(dir, path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return errno_error(errno, "cannot open " + path);
    std::string content;
    char buffer[4096];
    for (;;) {
        const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return errno_error(errno, "cannot read " + path);
        if (got == 0) return content;
        content.append(buffer, static_cast<std::size_t>(got));
        if (content.size() > max) {
            return make_error(Errc::invalid_argument,
                              path + " is longer than " + std::to_string(max) + " bytes");
        }
    }
}

Status write_file_at(int dir, const std::string& path, std::string_view text) {
    const UniqueFd fd(::openat(dir, path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return errno_error(errno, "cannot open " + path);
    for (;;) {
        const ssize_t written = ::write(fd.get(), text.data(), text.size());
        if (written >= 0) return {};
        if (errno != EINTR) {
            return errno_error(errno, "cannot write " + quote(text) + " to " + path);
        }
    }
}

Status replace_file_at(int dir, const std::string& path, std::string_view text, unsigned mode) {
    // Each writer has its own.
    const std::string temporary = path + "." + std::to_string(::getpid()) + ".new";
    CMK_TRY_ASSIGN(const UniqueFd fd, create_anew(dir, temporary, mode));
    if (Status written = write_all(fd.get(), text, temporary); !written) {
        ::unlinkat(dir, temporary.c_str(), 0);
        return written;
    }
    if (::renameat(dir, temporary.c_str(), dir, path.c_str()) < 0) {
        const int number = errno;
        ::unlinkat(dir, temporary.c_str(), 0);
        return errno_error(number, "cannot replace " + path);
    }
    return {};
}

Result<UniqueFd> open_dir_at(int dir, const std::string& path) {
    UniqueFd fd(::openat(dir, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return errno_error(errno, "cannot open directory " + path);
    return fd;
}

Result<UniqueFd> make_dir_at(int dir, const std::string& path, unsigned mode) {
    if (::mkdirat(dir, path.c_str(), mode) < 0 && errno != EEXIST) {
        return errno_error(errno, "cannot make directory " + path);
    }
    return open_dir_at(dir, path);
}

Result<std::vector<std::string>> list_dir_at(int dir, const std::string& path) {
    CMK_TRY_ASSIGN(UniqueFd fd, open_dir_at(dir, path));
    const Handle<DIR, ::closedir> stream(::fdopendir(fd.get()));
    if (!stream) return errno_error(errno, "cannot list " + path);
    (void)fd.release();
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(name);
    }
    if (errno != 0) return errno_error(errno, "cannot list " + path);
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace cmk
