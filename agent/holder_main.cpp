// SPDX-License-Identifier: Apache-2.0
// cmk-holder: keeps the unit that holds the leases alive, ends its leases at shutdown, and gives
// everything back when CMK is removed. Static, and needs no agent.
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "agent/holder.h"

namespace {

using namespace cmk;

/// READY=1, as sd_notify(3) sends it.
void tell_systemd_ready() {
    const char* path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) return;
    std::memcpy(address.sun_path, path, std::strlen(path));
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
    const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const std::size_t size = offsetof(sockaddr_un, sun_path) + std::strlen(path);
    (void)!::sendto(fd.get(), "READY=1", 7, MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
                    static_cast<socklen_t>(size));
}

int hold() {
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGTERM);
    ::sigaddset(&ends, SIGINT);
    ::sigprocmask(SIG_BLOCK, &ends, nullptr);
    const Status moved = make_room_for_leases();
    if (!moved) std::fprintf(stderr, "cmk-holder: %s\n", moved.error().message.c_str());
    if (!moved) return 1;
    tell_systemd_ready();
    int number = 0;
    while (::sigwait(&ends, &number) != 0) {
    }
    return 0;
}

int report(const Status& done) {
    if (!done) std::fprintf(stderr, "cmk-holder: %s\n", done.error().message.c_str());
    return done ? 0 : 1;
}

int usage() {
    std::fputs(
        "Usage: cmk-holder [hold | end-leases | dissolve]\n"
        "\n"
        "  hold        moves into a group of its own and waits: the main process of the unit\n"
        "              that holds the leases (the default)\n"
        "  end-leases  asks every leased program to end (SIGTERM) and waits for it\n"
        "  dissolve    gives all CPUs back: no partition, no pinning; programs run on\n",
        stderr);
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string verb = argc > 1 ? argv[1] : "hold";
    if (argc > 2) return usage();
    if (verb == "hold") return hold();
    if (verb == "end-leases") return report(end_leases());
    if (verb == "dissolve") return report(dissolve());
    return usage();
}
