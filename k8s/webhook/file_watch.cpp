// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/file_watch.h"

#include <sys/inotify.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace cmk::k8s {

namespace {

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == path.npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<FileWatch> FileWatch::start(const std::vector<std::string>& paths) {
    FileWatch watch;
    watch.inotify_.reset(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!watch.inotify_) return errno_error(errno, "inotify");
    for (const std::string& path : paths) {
        const std::string directory = directory_of(path);
        constexpr std::uint32_t kEvents =
            IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
        if (::inotify_add_watch(watch.inotify_.get(), directory.c_str(), kEvents) < 0) {
            return errno_error(errno, "cannot watch " + directory);
        }
    }
    return watch;
}

void FileWatch::drain() const {
    alignas(inotify_event) std::array<char, 4096> events;
    while (::read(inotify_.get(), events.data(), events.size()) > 0) {
    }
}

}  // namespace cmk::k8s
