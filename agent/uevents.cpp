// SPDX-License-Identifier: Apache-2.0
#include "agent/uevents.h"

#include <linux/filter.h>
#include <linux/netlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>

#include "base/text.h"

namespace cmk {

namespace {

constexpr std::uint32_t kOnli = 0x6f6e6c69;  // "onli"
constexpr std::uint32_t kOffl = 0x6f66666c;  // "offl"

/// Lets through only what begins with "onli" or "offl": other devices come and go often, and the
/// agent would be woken for each.
void filter_messages(int socket) {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kOnli, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kOffl, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const sock_fprog filter{sizeof program / sizeof *program, program};
    // Without it the agent is woken more often, and nothing else.
    (void)::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

}  // namespace

bool is_cpu_uevent(std::string_view message) {
    for (const std::string_view field : split(message, '\0')) {
        if (field == "SUBSYSTEM=cpu") return true;
    }
    return false;
}

Result<std::unique_ptr<Uevents>> Uevents::watch(UniqueFd socket, sd_event* event,
                                                std::function<void()> on_change) {
    filter_messages(socket.get());
    std::unique_ptr<Uevents> made(new Uevents(std::move(socket), std::move(on_change)));
    sd_event_source* source = nullptr;
    const int error =
        ::sd_event_add_io(event, &source, made->socket_.get(), EPOLLIN, on_message, made.get());
    if (error < 0) return errno_error(-error, "cannot watch for CPU hotplug");
    made->source_.reset(source);
    return made;
}

bool Uevents::drain() {
    bool changed = false;
    for (;;) {
        char text[8192];
        sockaddr_nl sender{};
        socklen_t size = sizeof sender;
        const ssize_t count = ::recvfrom(socket_.get(), text, sizeof text, MSG_DONTWAIT,
                                         reinterpret_cast<sockaddr*>(&sender), &size);
        if (count < 0 && errno == ENOBUFS) {
            changed = true;  // the kernel dropped some: it may have been one of a CPU
        } else if (count < 0 && errno != EINTR) {
            return changed;
        } else if (count > 0 && sender.nl_pid == 0) {  // of the kernel
            changed = is_cpu_uevent({text, static_cast<std::size_t>(count)}) || changed;
        }
    }
}

int Uevents::on_message(sd_event_source*, int, uint32_t, void* userdata) noexcept {
    auto* self = static_cast<Uevents*>(userdata);
    try {
        if (self->drain()) self->on_change_();
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "ERROR a hotplug event was not handled: %s\n", problem.what());
    }
    return 0;
}

}  // namespace cmk
