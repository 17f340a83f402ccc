// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus.h>

#include <memory>
#include <string>

#include "base/handle.h"
#include "support/command.h"

namespace cmk::test {

using BusHandle = Handle<sd_bus, sd_bus_flush_close_unref>;

/// Connects to the message bus at a D-Bus address.
BusHandle connect_to_bus(const std::string& address);

/// A message bus of the test's own that every user may connect to; gone with the object.
class TestBus {
public:
    TestBus();
    ~TestBus();
    TestBus(const TestBus&) = delete;
    TestBus& operator=(const TestBus&) = delete;

    /// "" when it did not start.
    const std::string& address() const { return address_; }

private:
    std::string dir_;
    std::unique_ptr<Command> daemon_;
    std::string address_;
};

}  // namespace cmk::test
