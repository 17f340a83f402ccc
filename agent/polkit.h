// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include <functional>
#include <list>

#include "agent/dbus_peer.h"
#include "base/result.h"

namespace cmk {

inline constexpr char kPolkitLease[] = "org.cmk.Agent1.lease";
inline constexpr char kPolkitManage[] = "org.cmk.Agent1.manage";

/// Asks polkit about callers on the bus, without waiting for it: the answer may take a person who
/// types a password.
class Polkit {
public:
    /// Whether polkit allows it; false too when it cannot be asked.
    using Answer = std::function<void(bool allowed)>;

    explicit Polkit(sd_bus* bus) : bus_(bus) {}

    /// May the sender of `call` do `action`? A person is asked only where the call allows that
    /// (ALLOW_INTERACTIVE_AUTHORIZATION). `answer` is called once, from the loop; never when this
    /// fails or the bus goes away first. Errors: unavailable, too_many.
    Status ask(sd_bus_message* call, const char* action, Answer answer);

private:
    struct Question {
        Polkit* polkit;
        Answer answer;
        Handle<sd_bus_slot, sd_bus_slot_unref> slot = {};
        std::list<Question>::iterator self = {};
    };

    static int on_reply(sd_bus_message* reply, void* userdata, sd_bus_error*) noexcept;
    Result<BusMessage> make_question(sd_bus_message* call, const char* action) const;

    sd_bus* bus_;
    std::list<Question> questions_;  // sd-bus has their addresses
};

}  // namespace cmk
