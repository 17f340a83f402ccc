// SPDX-License-Identifier: Apache-2.0
#include "k8s/status_server.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cmk::k8s {

namespace {

constexpr std::size_t kMaxRequest = 4096;
constexpr timeval kPatience{5, 0};
constexpr int kBacklog = 8;
/// When there are no descriptors left, accept() fails at once, again and again.
constexpr int kPauseMs = 1000;

Result<UniqueFd> bound(int family, const sockaddr* address, socklen_t size,
                       const std::string& text) {
    UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int yes = 1;
    if (fd && family != AF_UNIX) {
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    }
    if (!fd || ::bind(fd.get(), address, size) < 0 || ::listen(fd.get(), kBacklog) < 0) {
        return errno_error(errno, "cannot listen on " + text);
    }
    return fd;
}

Result<UniqueFd> listen_unix(const std::string& path, const std::string& text) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) {
        return make_error(Errc::invalid_argument, text + " has no path or a too long one");
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    ::unlink(path.c_str());  // what an earlier run left
    return bound(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, text);
}

Result<UniqueFd> listen_tcp(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) {
        return make_error(Errc::invalid_argument, text + " is not unix:PATH or ADDRESS:PORT");
    }
    std::string host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    addrinfo hints{};
    hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(host.empty() ? nullptr : host.c_str(),
                                     text.substr(colon + 1).c_str(), &hints, &found);
    if (failed != 0) {
        return make_error(Errc::invalid_argument, text + ": " + ::gai_strerror(failed));
    }
    auto fd = bound(found->ai_family, found->ai_addr, found->ai_addrlen, text);
    ::freeaddrinfo(found);
    return fd;
}

std::string first_line(int fd) {
    std::string request;
    char buffer[1024];
    while (request.size() < kMaxRequest && request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t count = ::recv(fd, buffer, sizeof buffer, 0);
        if (count <= 0) break;
        request.append(buffer, static_cast<std::size_t>(count));
    }
    return request.substr(0, request.find("\r\n"));
}

void send_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (count <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

std::string http(const char* status, const std::string& body) {
    return std::string("HTTP/1.1 ") + status +
           "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

std::string check(const std::string& wrong) {
    return wrong.empty() ? http("200 OK", "ok\n") : http("503 Service Unavailable", wrong);
}

}  // namespace

std::string status_answer(const std::string& request_line, const Metrics& metrics, TimePoint now) {
    if (!request_line.starts_with("GET ")) return http("405 Method Not Allowed", "GET only\n");
    const std::string path = request_line.substr(4, request_line.find_first_of(" ?", 4) - 4);
    if (path == "/metrics") return http("200 OK", metrics.render(now));
    if (path == "/healthz") return check(metrics.unhealthy(now));
    if (path == "/readyz") return check(metrics.unready());
    return http("404 Not Found", "/metrics, /healthz or /readyz\n");
}

Result<StatusServer> StatusServer::listen(const std::string& address) {
    constexpr std::string_view kUnix = "unix:";
    CMK_TRY_ASSIGN(UniqueFd fd, address.starts_with(kUnix)
                                    ? listen_unix(address.substr(kUnix.size()), address)
                                    : listen_tcp(address));
    return StatusServer(std::move(fd));
}

void StatusServer::serve(const Metrics& metrics) const {
    for (;;) {
        const UniqueFd peer(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!peer) {
            if (errno != EINTR && errno != ECONNABORTED) ::poll(nullptr, 0, kPauseMs);
            continue;
        }
        ::setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
        ::setsockopt(peer.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
        send_all(peer.get(), status_answer(first_line(peer.get()), metrics, Clock::now()));
    }
}

}  // namespace cmk::k8s
