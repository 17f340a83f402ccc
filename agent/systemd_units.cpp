// SPDX-License-Identifier: Apache-2.0
#include "agent/systemd_units.h"

#include <systemd/sd-bus.h>

#include <vector>

#include "base/handle.h"

namespace cmk {

namespace {

using Bus = Handle<sd_bus, sd_bus_flush_close_unref>;
using Message = Handle<sd_bus_message, sd_bus_message_unref>;

constexpr std::uint64_t kTimeoutUs = 5'000'000;

/// systemd's form of a CPU set: bit N of byte N/8.
std::vector<std::uint8_t> to_bytes(const CpuSet& cpus) {
    std::vector<std::uint8_t> bytes;
    cpus.for_each([&](unsigned cpu) {
        if (bytes.size() <= cpu / 8) bytes.resize(cpu / 8 + 1);
        bytes[cpu / 8] = static_cast<std::uint8_t>(bytes[cpu / 8] | (1U << (cpu % 8)));
    });
    return bytes;
}

int append_allowed_cpus(sd_bus_message* message, const std::string& unit, const CpuSet& cpus) {
    const std::vector<std::uint8_t> bytes = to_bytes(cpus);
    int done = ::sd_bus_message_append(message, "sb", unit.c_str(), 1);
    if (done >= 0) done = ::sd_bus_message_open_container(message, 'a', "(sv)");
    if (done >= 0) done = ::sd_bus_message_open_container(message, 'r', "sv");
    if (done >= 0) done = ::sd_bus_message_append(message, "s", "AllowedCPUs");
    if (done >= 0) done = ::sd_bus_message_open_container(message, 'v', "ay");
    if (done >= 0) done = ::sd_bus_message_append_array(message, 'y', bytes.data(), bytes.size());
    for (int container = 0; container < 3 && done >= 0; ++container)
        done = ::sd_bus_message_close_container(message);
    return done;
}

Error failure(const std::string& unit, const std::string& why) {
    return make_error(Errc::unavailable,
                      "systemd did not set AllowedCPUs= of " + unit + ": " + why);
}

}  // namespace

Status SystemdUnitsBus::set_allowed_cpus(const std::string& unit, const CpuSet& cpus) {
    sd_bus* raw_bus = nullptr;
    int done = ::sd_bus_open_system(&raw_bus);
    const Bus bus(raw_bus);
    if (done < 0) return failure(unit, errno_error(-done, "no system bus").message);
    sd_bus_message* raw = nullptr;
    done = ::sd_bus_message_new_method_call(
        bus.get(), &raw, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
        "org.freedesktop.systemd1.Manager", "SetUnitProperties");
    const Message message(raw);
    if (done >= 0) done = append_allowed_cpus(raw, unit, cpus);
    if (done < 0) return failure(unit, errno_error(-done, "cannot make the message").message);
    sd_bus_error error{};
    done = ::sd_bus_call(bus.get(), raw, kTimeoutUs, &error, nullptr);
    // systemd answers first and acts before it reads the next message.
    if (done >= 0) {
        done =
            ::sd_bus_call_method(bus.get(), "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                 "org.freedesktop.DBus.Peer", "Ping", &error, nullptr, "");
    }
    Status status;
    if (done < 0) {
        status = failure(unit, error.message != nullptr ? error.message
                                                        : errno_error(-done, "no answer").message);
    }
    ::sd_bus_error_free(&error);
    return status;
}

}  // namespace cmk
