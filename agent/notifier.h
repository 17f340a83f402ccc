// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "agent/loop.h"

namespace cmk {

/// Tells systemd how the service is, with a line for `systemctl status`. Says nothing without
/// $NOTIFY_SOCKET.
class Notifier {
public:
    /// `status` makes the line; `loop` outlives the notifier.
    Notifier(Loop& loop, std::function<std::string()> status);

    void ready();
    void reloading();
    void stopping();
    /// The line is another now. It is told a moment later, once for all changes until then:
    /// systemd passes each on over the bus.
    void changed();

private:
    void tell_status();

    Loop& loop_;
    std::function<std::string()> status_;
    bool supervised_;
    bool pending_ = false;
};

}  // namespace cmk
