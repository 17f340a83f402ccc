// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <systemd/sd-bus-vtable.h>
#include <systemd/sd-bus.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/dbus_codec.h"
#include "agent/dbus_peer.h"
#include "agent/log.h"
#include "agent/manager.h"
#include "agent/polkit.h"

namespace cmk {

/// org.cmk.Agent1.Manager over D-Bus: decodes, calls the manager, encodes. No decision lives here.
/// Once made it lives as long as the manager serves, also when the bus goes away.
class DbusApi {
public:
    /// Tells who sent a message.
    using Identify = std::function<Result<Peer>(sd_bus_message*)>;

    /// Connects to the system bus ("system") or to a bus address and takes the bus name.
    /// Errors: unavailable when there is no such bus; conflict when the name has an owner;
    /// not_permitted when the bus does not let us own it.
    static Result<std::unique_ptr<DbusApi>> open(const std::string& address, Manager& manager,
                                                 Processes& processes, const Cgroups& cgroups,
                                                 sd_event* event);

    /// Serves on a connection that is set up already and takes no name.
    static Result<std::unique_ptr<DbusApi>> serve_on(BusHandle bus, Manager& manager,
                                                     Processes& processes, const Cgroups& cgroups,
                                                     Identify identify);

    /// False once the bus has gone away.
    bool is_connected() const { return connected_; }

private:
    /// An Isolate call that is not answered yet.
    struct Pending {
        DbusApi* api;
        BusMessage message;
        Ticket ticket = 0;  ///< 0 until it is known to wait
        Handle<sd_bus_track, sd_bus_track_unref> track = {};
    };
    using PendingCall = std::shared_ptr<Pending>;
    /// Carries a call out for its caller, or refuses it.
    using Run = std::function<Status(sd_bus_message* call, Peer& caller)>;

    DbusApi(BusHandle bus, Manager& manager, Processes& processes, const Cgroups& cgroups,
            Identify identify);

    static const sd_bus_vtable* vtable();
    template <Status (DbusApi::*Method)(sd_bus_message*)>
    static int on_call(sd_bus_message* message, void* userdata, sd_bus_error* error) noexcept;
    template <void (DbusApi::*Get)(BusWriter&) const>
    static int on_get(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply,
                      void* userdata, sd_bus_error* error) noexcept;
    static int on_disconnected(sd_bus_message*, void* userdata, sd_bus_error*) noexcept;
    static int on_sender_gone(sd_bus_track*, void* userdata) noexcept;

    Status add_object();
    Status take_name();
    void follow_events();

    Status isolate(sd_bus_message* message);
    Status isolate_process(sd_bus_message* message);
    Status release(sd_bus_message* message);
    Status list_pools(sd_bus_message* message);
    Status list_leases(sd_bus_message* message);
    Status get_topology(sd_bus_message* message);
    Status get_metrics(sd_bus_message* message);
    Status reconcile(sd_bus_message* message);
    Status verify(sd_bus_message* message);
    Status reconfigure(sd_bus_message* message);
    Status reload(sd_bus_message* message);

    void get_version(BusWriter& writer) const;
    void get_pools(BusWriter& writer) const;
    void get_lease_count(BusWriter& writer) const;
    void get_lowest_grade(BusWriter& writer) const;
    std::string lowest_grade() const;

    Status ask_first(sd_bus_message* message, Peer peer, const Status& allowed, const char* action,
                     const Run& run);
    Status administer(sd_bus_message* message, const Run& run);
    Result<Peer> other_process(int pidfd, Peer caller) const;
    Status start(sd_bus_message* message, Peer peer, IsolateOrder order);
    Status watch_sender(const PendingCall& call);
    void cancel(Ticket ticket);
    void answer(Pending& call, const Result<Grant>& result);
    void disconnected();
    void publish(const Event& event);
    void count_lease(const Event& event);

    void emit_signal(const char* name, const std::function<void(BusWriter&)>& write) const;
    void emit_changed(const char* property) const;

    BusHandle bus_;
    Manager& manager_;
    Processes& processes_;
    const Cgroups& cgroups_;
    Identify identify_;
    Polkit polkit_;
    Log log_;
    bool connected_ = true;
    std::map<Ticket, PendingCall> waiting_;
    std::map<std::string, Grade> leases_;  // by id
    std::array<unsigned, 4> by_grade_{};
};

}  // namespace cmk
