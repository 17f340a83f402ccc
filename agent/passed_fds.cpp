// SPDX-License-Identifier: Apache-2.0
#include "agent/passed_fds.h"

#include <fcntl.h>
#include <systemd/sd-daemon.h>

#include <cstdlib>

namespace cmk {

namespace {

/// systemd passes sockets in blocking mode; the event loop must not wait in accept().
void set_nonblocking(int fd) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
}

}  // namespace

PassedFds sort_passed_fds(std::vector<std::pair<std::string, UniqueFd>>&& named) {
    static const std::map<std::string, SocketRole> kRoles{{"agent", SocketRole::lease},
                                                          {"observe", SocketRole::observe},
                                                          {"admin", SocketRole::admin}};
    PassedFds passed;
    for (auto& [name, fd] : named) {
        const auto role = kRoles.find(name);
        if (role != kRoles.end()) {
            set_nonblocking(fd.get());
            passed.listeners.emplace_back(role->second, std::move(fd));
        } else if (name == "uevent") {
            set_nonblocking(fd.get());
            passed.uevent = std::move(fd);
        } else if (name == kCompatSocket) {
            set_nonblocking(fd.get());
            passed.compat = std::move(fd);
        } else {
            passed.pidfds.insert_or_assign(name, std::move(fd));
        }
    }
    return passed;
}

PassedFds take_passed_fds() {
    char** names = nullptr;
    const int count = ::sd_listen_fds_with_names(1, &names);
    std::vector<std::pair<std::string, UniqueFd>> named;
    for (int i = 0; i < count; ++i) {
        named.emplace_back(names[i], UniqueFd(SD_LISTEN_FDS_START + i));
        std::free(names[i]);
    }
    std::free(names);
    return sort_passed_fds(std::move(named));
}

}  // namespace cmk
