// SPDX-License-Identifier: Apache-2.0
#include "ipc/client.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace cmk {

namespace {

std::string advice(int number) {
    switch (number) {
        case ENOENT: return "is cmk-agent running? (systemctl status cmk-agent)";
        case ECONNREFUSED: return "cmk-agent has ended; start it (systemctl start cmk-agent)";
        case EACCES: return "you may not open it; ask for access or run as root";
        default: return "see the agent's log";
    }
}

Error lost(int number) {
    Error error = errno_error(number, "the connection to the agent broke");
    error.code = Errc::unavailable;
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
    return Client(std::move(fd));
}

Result<Grant> Client::isolate(wire::Isolate request) {
    const UniqueFd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    if (!self) return errno_error(errno, "cannot open a pidfd of this process");
    request.has_pidfd = true;
    CMK_TRY(send(wire::Call{.method = std::move(request)}, self.get()));
    return receive<Grant>();
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
        if (count < 0 && (errno == EPIPE || errno == ECONNRESET)) return {};
        if (count < 0) return lost(errno);
        sent += static_cast<std::size_t>(count);
    }
    return {};
}

Result<std::string> Client::receive_text() {
    char buffer[16384];
    for (;;) {
        if (auto message = input_.take()) return *std::move(message);
        const ssize_t count = ::recv(fd_.get(), buffer, sizeof buffer, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return lost(errno);
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
