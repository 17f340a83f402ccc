// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "base/unique_fd.h"

namespace cmk {

/// Where the pidfds of leases' owners outlive the agent. A missing one is normal: systemd empties
/// its store when a service has failed or was stopped.
class FdStore {
public:
    virtual ~FdStore() = default;

    /// Keeps a copy of a lease's pidfd.
    virtual void put(const std::string& lease, int pidfd) = 0;
    /// Drops what is kept for the lease.
    virtual void remove(const std::string& lease) = 0;
    /// What an earlier agent put; none where nothing came back, or when it was taken already.
    virtual UniqueFd take(const std::string& lease) = 0;
    /// Drops all that nobody took.
    virtual void drop_rest() = 0;
};

/// The file descriptor store that systemd has for a service; none of it without $NOTIFY_SOCKET.
class FdStoreSystemd final : public FdStore {
public:
    /// `passed`: what systemd handed to this process at start, by lease.
    explicit FdStoreSystemd(std::map<std::string, UniqueFd> passed) : passed_(std::move(passed)) {}

    void put(const std::string& lease, int pidfd) override;
    void remove(const std::string& lease) override;
    UniqueFd take(const std::string& lease) override;
    void drop_rest() override;

private:
    std::map<std::string, UniqueFd> passed_;
};

}  // namespace cmk
