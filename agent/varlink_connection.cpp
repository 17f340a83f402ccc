// SPDX-License-Identifier: Apache-2.0
#include "agent/varlink_connection.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace cmk {

namespace {

/// A client that lets this much pile up does not read; it holds up nobody but itself.
constexpr std::size_t kMaxOutput = 8U << 20;
/// More descriptors than any request may carry; what comes beyond, the kernel closes.
constexpr std::size_t kMaxFds = 8;

}  // namespace

void VarlinkConnection::collect_fds(msghdr& message) {
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            UniqueFd owned(fd);
            // One more than any request may carry is enough to refuse it.
            if (fds_.size() < 2) fds_.push_back(std::move(owned));
        }
    }
}

VarlinkConnection::State VarlinkConnection::receive() {
    char buffer[8192];
    // A socket that systemd made with PassCredentials= sends credentials in front of descriptors.
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(kMaxFds * sizeof(int))];
    iovec part{buffer, sizeof buffer};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t count = ::recvmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0) {
        return errno == EAGAIN || errno == EINTR ? State::open : State::closed;
    }
    collect_fds(message);
    if (count == 0) half_closed = true;
    if (input_.feed({buffer, static_cast<std::size_t>(count)})) return State::open;
    too_long_ = true;
    return State::closed;
}

bool VarlinkConnection::expects_answer() const {
    int unread = 0;
    ::ioctl(fd_.get(), FIONREAD, &unread);
    return deadline != 0 || unread > 0;
}

VarlinkConnection::State VarlinkConnection::send(const std::string& message) {
    if (output_.size() + message.size() > kMaxOutput) return State::closed;
    output_ += message;
    output_.push_back('\0');
    return flush();
}

VarlinkConnection::State VarlinkConnection::flush() {
    while (!output_.empty()) {
        const ssize_t count =
            ::send(fd_.get(), output_.data(), output_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno == EAGAIN ? State::open : State::closed;
        output_.erase(0, static_cast<std::size_t>(count));
    }
    return State::open;
}

}  // namespace cmk
