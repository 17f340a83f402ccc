// SPDX-License-Identifier: Apache-2.0
#include "agent/dbus_peer.h"

#include <fcntl.h>

#include <cerrno>

#include "agent/peer_credentials.h"

namespace cmk {

namespace {

/// What a bus daemon tells about a connection.
struct Credentials {
    std::optional<int> pid = {};
    std::optional<unsigned> uid = {};
    std::vector<unsigned> groups = {};
    UniqueFd pidfd = {};
};

Error sender_left() {
    return make_error(Errc::unavailable, "the bus does not know the caller any more");
}

std::optional<unsigned> read_unsigned(sd_bus_message* reply) {
    std::uint32_t number = 0;
    if (::sd_bus_message_read(reply, "v", "u", &number) <= 0) return std::nullopt;
    return number;
}

std::vector<unsigned> read_groups(sd_bus_message* reply) {
    const void* data = nullptr;
    std::size_t size = 0;
    if (::sd_bus_message_enter_container(reply, SD_BUS_TYPE_VARIANT, "au") <= 0) return {};
    if (::sd_bus_message_read_array(reply, SD_BUS_TYPE_UINT32, &data, &size) < 0) return {};
    ::sd_bus_message_exit_container(reply);
    const auto* first = static_cast<const std::uint32_t*>(data);
    return {first, first + size / sizeof *first};
}

UniqueFd read_fd(sd_bus_message* reply) {
    int fd = -1;
    if (::sd_bus_message_read(reply, "v", "h", &fd) <= 0) return UniqueFd();
    return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

void read_entry(sd_bus_message* reply, std::string_view key, Credentials& found) {
    if (key == "ProcessID") {
        if (const auto pid = read_unsigned(reply)) found.pid = static_cast<int>(*pid);
    } else if (key == "UnixUserID") {
        found.uid = read_unsigned(reply);
    } else if (key == "UnixGroupIDs") {
        found.groups = read_groups(reply);
    } else if (key == "ProcessFD") {
        found.pidfd = read_fd(reply);
    } else {
        ::sd_bus_message_skip(reply, "v");
    }
}

/// Source: D-Bus specification, org.freedesktop.DBus.GetConnectionCredentials.
Result<Credentials> ask_bus(sd_bus* bus, const char* sender) {
    sd_bus_message* raw = nullptr;
    const int asked = ::sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                           "org.freedesktop.DBus", "GetConnectionCredentials",
                                           nullptr, &raw, "s", sender);
    const BusMessage reply(raw);
    if (asked < 0) return sender_left();
    Credentials found;
    if (::sd_bus_message_enter_container(raw, SD_BUS_TYPE_ARRAY, "{sv}") < 0) return sender_left();
    while (::sd_bus_message_enter_container(raw, SD_BUS_TYPE_DICT_ENTRY, "sv") > 0) {
        const char* key = nullptr;
        if (::sd_bus_message_read_basic(raw, SD_BUS_TYPE_STRING, &key) <= 0) return sender_left();
        read_entry(raw, key, found);
        if (::sd_bus_message_exit_container(raw) < 0) return sender_left();
    }
    if (!found.pid || !found.uid) return sender_left();
    return found;
}

/// The id may have gone to another process before the pidfd was opened. With the pidfd held, the
/// same answer again and the same user leave no room for that but among the user's own processes.
Status open_by_id(Peer& peer, int pid, sd_bus* bus, const char* sender, Processes& processes) {
    CMK_TRY_ASSIGN(peer.pidfd, processes.open(pid, 0));
    CMK_TRY_ASSIGN(const Credentials again, ask_bus(bus, sender));
    CMK_TRY_ASSIGN(const ProcessInfo info, processes.inspect(peer.pidfd.get()));
    if (again.pid == pid && again.uid == peer.uid && info.uid == peer.uid) return {};
    return make_error(Errc::unavailable, "process " + std::to_string(pid) +
                                             " is not the one that connected to the bus");
}

}  // namespace

Result<Peer> identify_bus_sender(sd_bus_message* message, Processes& processes,
                                 const Cgroups& cgroups) {
    sd_bus* bus = ::sd_bus_message_get_bus(message);
    const char* sender = ::sd_bus_message_get_sender(message);
    if (sender == nullptr) {
        return identify_socket_peer(::sd_bus_get_fd(bus), processes, cgroups);
    }
    CMK_TRY_ASSIGN(Credentials found, ask_bus(bus, sender));
    Peer peer;
    peer.uid = *found.uid;
    peer.groups = std::move(found.groups);
    peer.pidfd = std::move(found.pidfd);
    if (!peer.pidfd) CMK_TRY(open_by_id(peer, *found.pid, bus, sender, processes));
    CMK_TRY(describe_peer(peer, processes, cgroups));
    return peer;
}

}  // namespace cmk
