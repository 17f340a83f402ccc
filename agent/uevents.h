// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "agent/sd_loop.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace cmk {

/// Is this message of the kernel ("online@/devices/...", NUL, "ACTION=online", NUL, ...) about a
/// CPU?
bool is_cpu_uevent(std::string_view message);

/// Hears from the kernel that CPUs came or went, on a netlink socket that systemd opened: a service
/// with a network namespace of its own cannot.
class Uevents {
public:
    /// Calls `on_change` from the loop, once for all messages that have come together.
    static Result<std::unique_ptr<Uevents>> watch(UniqueFd socket, sd_event* event,
                                                  std::function<void()> on_change);

private:
    Uevents(UniqueFd socket, std::function<void()> on_change)
        : socket_(std::move(socket)), on_change_(std::move(on_change)) {}

    static int on_message(sd_event_source*, int fd, uint32_t events, void* userdata) noexcept;
    /// Reads all that has come; true when something of it was about a CPU.
    bool drain();

    UniqueFd socket_;
    std::function<void()> on_change_;
    SourceHandle source_;
};

}  // namespace cmk
