// SPDX-License-Identifier: Apache-2.0
#include "agent/listening_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace cmk {

namespace {

constexpr int kBacklog = 256;

bool is_answered(const sockaddr_un& address) {
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

Result<UniqueFd> make_listening_socket(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return make_error(Errc::invalid_argument,
                          "socket path " + quote(path) + " is empty or longer than 107 bytes");
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    if (is_answered(address)) {
        return make_error(Errc::conflict, "another program serves " + path + "; end it first");
    }
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) ::unlink(path.c_str());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return errno_error(errno, "cannot make a socket");
    // Not chmod(2): in a directory that others write to, the name may be another file's by then.
    const mode_t mask = ::umask(0111);
    const int bound =
        ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ? errno
                                                                                          : 0;
    ::umask(mask);
    if (bound != 0) return errno_error(bound, "cannot bind " + path);
    if (::listen(fd.get(), kBacklog) < 0) {
        return errno_error(errno, "cannot listen on " + path);
    }
    return fd;
}

bool is_bound_to(int fd, const std::string& path) {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    struct stat info {};
    return fd >= 0 && ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
           path == address.sun_path && ::lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode);
}

}  // namespace cmk
