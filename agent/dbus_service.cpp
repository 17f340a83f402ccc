// SPDX-License-Identifier: Apache-2.0
// The connection, and what goes out unasked.
#include <cerrno>

#include "agent/dbus_api.h"
#include "agent/message_ids.h"
#include "ipc/names.h"

namespace cmk {

namespace {

/// A bus daemon answers at once or is in trouble; the agent's other clients do not wait for it.
constexpr std::uint64_t kBusTimeoutUs = 2'000'000;

Error no_bus(int result, const std::string& address) {
    Error error = bus_error(result, "cannot connect to the bus " + address);
    error.code = Errc::unavailable;
    error.message += "; start it, or run the agent with --bus none";
    return error;
}

Result<BusHandle> connect(const std::string& address) {
    sd_bus* raw = nullptr;
    if (address == "system") {
        const int opened = ::sd_bus_open_system(&raw);
        if (opened < 0) return no_bus(opened, address);
        return BusHandle(raw);
    }
    int done = ::sd_bus_new(&raw);
    BusHandle bus(raw);
    if (done >= 0) done = ::sd_bus_set_address(raw, address.c_str());
    if (done >= 0) done = ::sd_bus_set_bus_client(raw, 1);
    if (done >= 0) done = ::sd_bus_start(raw);
    if (done < 0) return no_bus(done, address);
    return bus;
}

}  // namespace

DbusApi::DbusApi(BusHandle bus, Manager& manager, Processes& processes, const Cgroups& cgroups,
                 Identify identify)
    : bus_(std::move(bus)),
      manager_(manager),
      processes_(processes),
      cgroups_(cgroups),
      identify_(std::move(identify)),
      polkit_(bus_.get()),
      log_(manager.config().log_level) {}

Result<std::unique_ptr<DbusApi>> DbusApi::open(const std::string& address, Manager& manager,
                                               Processes& processes, const Cgroups& cgroups,
                                               sd_event* event) {
    CMK_TRY_ASSIGN(BusHandle bus, connect(address));
    sd_bus* raw = bus.get();
    ::sd_bus_set_method_call_timeout(raw, kBusTimeoutUs);
    const auto identify = [&processes, &cgroups](sd_bus_message* message) {
        return identify_bus_sender(message, processes, cgroups);
    };
    std::unique_ptr<DbusApi> api(
        new DbusApi(std::move(bus), manager, processes, cgroups, identify));
    CMK_TRY(api->add_object());
    const int attached = ::sd_bus_attach_event(raw, event, SD_EVENT_PRIORITY_NORMAL);
    if (attached < 0) return bus_error(attached, "cannot serve the bus " + address);
    CMK_TRY(api->take_name());
    api->follow_events();
    return api;
}

Result<std::unique_ptr<DbusApi>> DbusApi::serve_on(BusHandle bus, Manager& manager,
                                                   Processes& processes, const Cgroups& cgroups,
                                                   Identify identify) {
    std::unique_ptr<DbusApi> api(
        new DbusApi(std::move(bus), manager, processes, cgroups, std::move(identify)));
    CMK_TRY(api->add_object());
    api->follow_events();
    return api;
}

Status DbusApi::add_object() {
    for (const sd_bus_vtable* at = vtable(); at->type != _SD_BUS_VTABLE_END; ++at) {
        if (at->type == _SD_BUS_VTABLE_METHOD) {
            manager_.counters().bus.try_emplace(at->x.method.member);
        }
    }
    int done =
        ::sd_bus_add_object_vtable(bus_.get(), nullptr, kBusPath, kBusInterface, vtable(), this);
    if (done >= 0) {
        done = ::sd_bus_match_signal(bus_.get(), nullptr, "org.freedesktop.DBus.Local",
                                     "/org/freedesktop/DBus/Local", "org.freedesktop.DBus.Local",
                                     "Disconnected", on_disconnected, this);
    }
    if (done < 0) return bus_error(done, "cannot serve the bus");
    return {};
}

void DbusApi::follow_events() {
    // What the manager took up before there was a bus.
    for (const Lease& lease : manager_.list_leases(Peer{}))
        count_lease({Event::Kind::lease_added, lease, ""});
    manager_.listen([this](const Event& event) { publish(event); });
}

Status DbusApi::take_name() {
    const int taken = ::sd_bus_request_name(bus_.get(), kBusName, 0);
    if (taken >= 0) return {};
    Error error = bus_error(taken, std::string("cannot own the bus name ") + kBusName);
    if (taken == -EEXIST) {
        error.code = Errc::conflict;
        error.message += "; another agent serves this bus, end it or use --bus none";
    } else if (taken == -EACCES || taken == -EPERM) {
        error.code = Errc::not_permitted;
        error.message += "; the bus policy lets only root own it";
    }
    return error;
}

int DbusApi::on_disconnected(sd_bus_message*, void* userdata, sd_bus_error*) noexcept {
    auto* api = static_cast<DbusApi*>(userdata);
    try {
        api->disconnected();
    } catch (const std::exception& problem) {
        api->log_.error(problem.what());
    }
    return 0;
}

void DbusApi::disconnected() {
    if (!std::exchange(connected_, false)) return;
    log_.error("the bus has gone away; the agent goes on with its socket alone until it restarts",
               {{"MESSAGE_ID", message_id::kBusLost}});
    // The last one first: nobody behind is given cores in the place of one that is cancelled.
    while (!waiting_.empty())
        cancel(waiting_.rbegin()->first);
}

int DbusApi::on_sender_gone(sd_bus_track*, void* userdata) noexcept {
    const auto* call = static_cast<Pending*>(userdata);
    DbusApi* api = call->api;
    try {
        api->cancel(call->ticket);
    } catch (const std::exception& problem) {
        api->log_.error(problem.what());
    }
    return 0;
}

/// Gives a waiting call up when its sender leaves the bus. Without a bus daemon there is one
/// client, and its leaving ends the connection.
Status DbusApi::watch_sender(const PendingCall& call) {
    if (::sd_bus_message_get_sender(call->message.get()) == nullptr) return {};
    sd_bus_track* track = nullptr;
    int done = ::sd_bus_track_new(bus_.get(), &track, on_sender_gone, call.get());
    call->track.reset(track);
    if (done >= 0) done = ::sd_bus_track_add_sender(track, call->message.get());
    if (done < 0) return bus_error(done, "cannot watch the caller");
    return {};
}

void DbusApi::cancel(Ticket ticket) {
    const auto at = waiting_.find(ticket);
    if (at == waiting_.end()) return;
    const PendingCall kept = std::move(at->second);
    waiting_.erase(at);
    manager_.cancel(ticket);
}

std::string DbusApi::lowest_grade() const {
    for (const Grade grade : {Grade::D, Grade::C, Grade::B, Grade::A}) {
        if (by_grade_[static_cast<std::size_t>(grade)] > 0) return std::string(to_text(grade));
    }
    return "";
}

/// Counts by itself: asking the manager for all leases at each event would cost with their number.
void DbusApi::count_lease(const Event& event) {
    if (event.kind == Event::Kind::grade_changed) {
        const auto at = leases_.find(event.lease->id);
        if (at == leases_.end()) return;
        --by_grade_[static_cast<std::size_t>(at->second)];
        ++by_grade_[static_cast<std::size_t>(at->second = event.lease->grade)];
    } else if (event.kind == Event::Kind::lease_added) {
        const auto [at, is_new] = leases_.try_emplace(event.lease->id, event.lease->grade);
        if (is_new) ++by_grade_[static_cast<std::size_t>(at->second)];
    } else if (const auto at = leases_.find(event.lease->id); at != leases_.end()) {
        --by_grade_[static_cast<std::size_t>(at->second)];
        leases_.erase(at);
    }
}

void DbusApi::publish(const Event& event) {
    if (event.kind == Event::Kind::pools_changed) {
        emit_signal("PoolsChanged", [](BusWriter&) {});
        return emit_changed("Pools");
    }
    if (!event.lease) return;  // a refusal: its caller has the answer
    const Lease& lease = *event.lease;
    if (event.kind == Event::Kind::cpus_changed) {
        return emit_signal("LeaseChanged", [&](BusWriter& writer) {
            writer.text(lease.id);
            writer.text(event.reason);
        });
    }
    const std::string grade_before = lowest_grade();
    count_lease(event);
    if (event.kind == Event::Kind::grade_changed) {
        if (lowest_grade() != grade_before) emit_changed("LowestGrade");
        return;
    }
    if (event.kind == Event::Kind::lease_added) {
        emit_signal("LeaseAdded", [&](BusWriter& writer) {
            writer.text(lease.id);
            write(writer, lease);
        });
    } else {
        emit_signal("LeaseRemoved", [&](BusWriter& writer) {
            writer.text(lease.id);
            writer.text(event.reason);
        });
    }
    emit_changed("LeaseCount");
    if (lowest_grade() != grade_before) emit_changed("LowestGrade");
}

void DbusApi::emit_signal(const char* name, const std::function<void(BusWriter&)>& write) const {
    if (!connected_) return;
    sd_bus_message* raw = nullptr;
    const int made = ::sd_bus_message_new_signal(bus_.get(), &raw, kBusPath, kBusInterface, name);
    const BusMessage message(raw);
    if (made < 0) return;
    BusWriter writer(raw);
    write(writer);
    if (writer.error() == 0) ::sd_bus_send(bus_.get(), raw, nullptr);
}

void DbusApi::emit_changed(const char* property) const {
    if (!connected_) return;
    ::sd_bus_emit_properties_changed(bus_.get(), kBusPath, kBusInterface, property, nullptr);
}

}  // namespace cmk
