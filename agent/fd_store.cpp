// SPDX-License-Identifier: Apache-2.0
#include "agent/fd_store.h"

#include <systemd/sd-daemon.h>

namespace cmk {

void FdStoreSystemd::put(const std::string& lease, int pidfd) {
    // FDPOLL=0: a pidfd becomes readable when its process ends, and would be dropped then.
    const std::string state = "FDSTORE=1\nFDPOLL=0\nFDNAME=" + lease;
    ::sd_pid_notify_with_fds(0, 0, state.c_str(), &pidfd, 1);
}

void FdStoreSystemd::remove(const std::string& lease) {
    ::sd_notify(0, ("FDSTOREREMOVE=1\nFDNAME=" + lease).c_str());
}

UniqueFd FdStoreSystemd::take(const std::string& lease) {
    auto found = passed_.extract(lease);
    return found.empty() ? UniqueFd() : std::move(found.mapped());
}

void FdStoreSystemd::drop_rest() {
    for (const auto& [lease, pidfd] : passed_)
        remove(lease);
    passed_.clear();
}

}  // namespace cmk
