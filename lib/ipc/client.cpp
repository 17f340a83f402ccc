// SPDX-License-Identifier: Apache-2.0
#include "ipc/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include <cerrno>
#include <cstring>

namespace cmk {

namespace {

constexpr int kSilenceMs = 3000;

std::string advice(int number) {
    switch (number) {
        case ENOENT: return "is cmk-agent running? (systemctl status cmk-agent)";
        case ECONNREFUSED: return "cmk-agent has ended; start it (systemctl start cmk-agent)";
        case EACCES: return "you may not open it; ask for access or run as root";
        default: return "see the agent's log";
    }
}

std::uint64_t now_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

/// A stream is reset when its other end was closed with bytes unread (unix(7)): that agent has not
/// had the whole call, so the next one can be asked.
Error lost(int number) {
    Error error = errno_error(number, "the connection to the agent broke");
    error.code = number == ECONNRESET || number == EPIPE ? Errc::restarting : Errc::unavailable;
    return error;
}

}  // namespace

Result<Client> Client::connect(const std::string& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket.empty() || socket.size() >= sizeof address.sun_path) {
        return make_error(Errc::invalid_argument,
                          "socket path " + socket + " is empty or too long (107 bytes at most)");
    }
    std::memcpy(address.sun_path, socket.data(), socket.size());
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) return errno_error(errno, "cannot make a socket");
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
        const int number = errno;
        Error error = errno_error(number, "cannot reach the agent at " + socket);
        error.code = Errc::unavailable;
        error.message += "; " + advice(number);
        return error;
    }
    return Client(socket, std::move(fd));
}

Result<Grant> Client::isolate(wire::Isolate request) {
    const UniqueFd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    if (!self) return errno_error(errno, "cannot open a pidfd of this process");
    request.has_pidfd = true;
    const std::uint64_t begin = now_ms();
    const auto make_call = [&, wait_ms = request.wait_ms] {
        const std::uint64_t waited = now_ms() - begin;
        request.wait_ms = waited < wait_ms ? wait_ms - waited : 0;
        return wire::Call{.method = request};
    };
    return ask<Grant>(make_call, self.get());
}

Status Client::reconnect() {
    CMK_TRY_ASSIGN(Client next, connect(socket_));
    fd_ = std::move(next.fd_);
    input_ = std::move(next.input_);
    return {};
}

void Client::wait_for_answer() {
    pollfd answer{fd_.get(), POLLIN, 0};
    if (tell_silence_ && ::poll(&answer, 1, kSilenceMs) == 0) {
        std::exchange(tell_silence_, nullptr)();
    }
}

Status Client::subscribe(const wire::Method& method) {
    return send(wire::Call{.method = method, .more = true}, -1);
}

Status Client::send(const wire::Call& call, int passed_fd) {
    std::string text = wire::encode(call);
    text.push_back('\0');
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    for (std::size_t sent = 0; sent < text.size();) {
        iovec part{text.data() + sent, text.size() - sent};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        if (passed_fd >= 0 && sent == 0) {
            message.msg_control = control;
            message.msg_controllen = sizeof control;
            cmsghdr* header = CMSG_FIRSTHDR(&message);
            header->cmsg_level = SOL_SOCKET;
            header->cmsg_type = SCM_RIGHTS;
            header->cmsg_len = CMSG_LEN(sizeof(int));
            std::memcpy(CMSG_DATA(header), &passed_fd, sizeof(int));
        }
        const ssize_t count = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        // The agent may have answered and closed before reading all: its answer says why.
        cut_off_ = count < 0 && (errno == EPIPE || errno == ECONNRESET);
        if (cut_off_) return {};
        if (count < 0) return lost(errno);
        sent += static_cast<std::size_t>(count);
    }
    return {};
}

Result<std::string> Client::receive_text() {
    char buffer[16384];
    for (;;) {
        if (auto message = input_.take()) return *std::move(message);
        wait_for_answer();
        const ssize_t count = ::recv(fd_.get(), buffer, sizeof buffer, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return lost(errno);
        if (count == 0 && cut_off_) return lost(EPIPE);
        if (count == 0) {
            return make_error(Errc::unavailable,
                              "the agent closed the connection without an answer; see its log");
        }
        if (!input_.feed({buffer, static_cast<std::size_t>(count)})) {
            return make_error(Errc::unavailable, "the agent's answer is too long");
        }
    }
}

}  // namespace cmk
