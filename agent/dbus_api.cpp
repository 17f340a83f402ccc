// SPDX-License-Identifier: Apache-2.0
// Calls and properties; dbus_service.cpp has the connection and what goes out unasked.
#include "agent/dbus_api.h"

#include <fcntl.h>

#include "agent/peer_credentials.h"
#include "ipc/errors.h"
#include "ipc/names.h"

namespace cmk {

namespace {

/// Ten years: longer waits are forever.
constexpr std::uint64_t kMaxWaitMs = 10ULL * 366 * 24 * 3600 * 1000;

std::string text_of(const Error& error) {
    return valid_utf8(error.message.empty() ? name_of(error.code).text : error.message);
}

void reply_error(sd_bus_message* call, const Error& error) {
    ::sd_bus_reply_method_errorf(call, name_of(error.code).bus, "%s", text_of(error).c_str());
}

int set_error(sd_bus_error* into, const Error& error) {
    return ::sd_bus_error_set(into, name_of(error.code).bus, text_of(error).c_str());
}

/// Where even the text of the problem may be too much for the memory that is left.
int set_internal(sd_bus_error* into, const char* problem) noexcept {
    return ::sd_bus_error_set(into, name_of(Errc::internal).bus, problem);
}

Status read_basic(sd_bus_message* message, char type, void* into) {
    const int done = ::sd_bus_message_read_basic(message, type, into);
    if (done > 0) return {};
    return make_error(Errc::invalid_argument, "the message is malformed");
}

Result<std::string> read_text(sd_bus_message* message) {
    const char* text = nullptr;
    CMK_TRY(read_basic(message, SD_BUS_TYPE_STRING, &text));
    return std::string(text);
}

/// For methods that know no options yet.
Status read_no_options(sd_bus_message* message) {
    CMK_TRY_ASSIGN(DictReader options, DictReader::read(message));
    options.allow_only({});
    if (!options.ok()) return options.error();
    return {};
}

Result<IsolateOrder> read_order(sd_bus_message* message) {
    IsolateOrder order;
    CMK_TRY_ASSIGN(order.what.pool, read_text(message));
    std::uint32_t cores = 0;
    CMK_TRY(read_basic(message, SD_BUS_TYPE_UINT32, &cores));
    order.what.cores = cores;
    CMK_TRY_ASSIGN(DictReader options, DictReader::read(message));
    options.allow_only({"package", "pin", "wait_ms"});
    if (options.has("package")) {
        order.what.package = static_cast<unsigned>(options.number("package", UINT32_MAX));
    }
    if (options.has("pin")) order.pin = options.flag("pin");
    if (options.has("wait_ms")) order.wait_ms = options.number("wait_ms", kMaxWaitMs);
    if (!options.ok()) return options.error();
    return order;
}

/// Answers a call with what `write` appends.
template <typename Write>
Status reply(sd_bus_message* call, Write&& write) {
    sd_bus_message* raw = nullptr;
    const int made = ::sd_bus_message_new_method_return(call, &raw);
    const BusMessage message(raw);
    if (made < 0) return bus_error(made, "cannot answer");
    BusWriter writer(raw);
    write(writer);
    if (writer.error() < 0) return bus_error(writer.error(), "cannot answer");
    // A client that has left misses nothing.
    ::sd_bus_send(nullptr, raw, nullptr);
    return {};
}

/// Answers with one or more values in the order of the method's results.
template <typename... Values>
Status reply_values(sd_bus_message* call, const Values&... values) {
    return reply(call, [&](BusWriter& writer) { (write(writer, values), ...); });
}

}  // namespace

template <Status (DbusApi::*Method)(sd_bus_message*)>
int DbusApi::on_call(sd_bus_message* message, void* userdata, sd_bus_error* error) noexcept {
    try {
        auto* api = static_cast<DbusApi*>(userdata);
        Counters::request(api->manager_.counters().bus, ::sd_bus_message_get_member(message));
        const Status done = (api->*Method)(message);
        return done ? 1 : set_error(error, done.error());
    } catch (const std::exception& problem) {
        return set_internal(error, problem.what());
    } catch (...) {
        return set_internal(error, "an unknown exception");
    }
}

template <void (DbusApi::*Get)(BusWriter&) const>
int DbusApi::on_get(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply,
                    void* userdata, sd_bus_error* error) noexcept {
    try {
        BusWriter writer(reply);
        (static_cast<const DbusApi*>(userdata)->*Get)(writer);
        return writer.error();
    } catch (const std::exception& problem) {
        return set_internal(error, problem.what());
    } catch (...) {
        return set_internal(error, "an unknown exception");
    }
}

// Everyone may call each method: the manager authorizes, not libsystemd.
const sd_bus_vtable* DbusApi::vtable() {
    static constexpr std::uint64_t kOpen = SD_BUS_VTABLE_UNPRIVILEGED;
    static constexpr std::uint64_t kChanges = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
    static const sd_bus_vtable kTable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("Isolate", SD_BUS_ARGS("s", pool, "u", cores, "a{sv}", options),
                                SD_BUS_RESULT("s", lease, "s", cpus, "a{sv}", info),
                                on_call<&DbusApi::isolate>, kOpen),
        SD_BUS_METHOD_WITH_ARGS("IsolateProcess",
                                SD_BUS_ARGS("h", pidfd, "s", pool, "u", cores, "a{sv}", options),
                                SD_BUS_RESULT("s", lease, "s", cpus, "a{sv}", info),
                                on_call<&DbusApi::isolate_process>, kOpen),
        SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_ARGS("s", lease, "a{sv}", options),
                                SD_BUS_NO_RESULT, on_call<&DbusApi::release>, kOpen),
        SD_BUS_METHOD_WITH_ARGS("ListPools", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", pools),
                                on_call<&DbusApi::list_pools>, kOpen),
        SD_BUS_METHOD_WITH_ARGS("ListLeases", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", leases),
                                on_call<&DbusApi::list_leases>, kOpen),
        SD_BUS_METHOD_WITH_ARGS("GetTopology", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("aa{sv}", cpus, "a{sv}", host),
                                on_call<&DbusApi::get_topology>, kOpen),
        SD_BUS_METHOD_WITH_ARGS("GetMetrics", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", text),
                                on_call<&DbusApi::get_metrics>, kOpen),
        SD_BUS_METHOD_WITH_ARGS("Reconcile", SD_BUS_ARGS("a{sv}", options),
                                SD_BUS_RESULT("a{sv}", report), on_call<&DbusApi::reconcile>,
                                kOpen),
        SD_BUS_METHOD_WITH_ARGS("Verify", SD_BUS_ARGS("s", lease, "a{sv}", options),
                                SD_BUS_RESULT("aa{sv}", verdicts), on_call<&DbusApi::verify>,
                                kOpen),
        SD_BUS_METHOD_WITH_ARGS("Reconfigure", SD_BUS_ARGS("aa{sv}", pools, "b", dry_run),
                                SD_BUS_RESULT("a{sv}", report), on_call<&DbusApi::reconfigure>,
                                kOpen),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_ARGS("a{sv}", options),
                                SD_BUS_RESULT("a{sv}", report), on_call<&DbusApi::reload>, kOpen),
        SD_BUS_SIGNAL_WITH_ARGS("LeaseAdded", SD_BUS_ARGS("s", lease, "a{sv}", info), 0),
        SD_BUS_SIGNAL_WITH_ARGS("LeaseRemoved", SD_BUS_ARGS("s", lease, "s", reason), 0),
        SD_BUS_SIGNAL_WITH_ARGS("LeaseChanged", SD_BUS_ARGS("s", lease, "s", what), 0),
        SD_BUS_SIGNAL("PoolsChanged", "", 0),
        SD_BUS_PROPERTY("Version", "s", on_get<&DbusApi::get_version>, 0,
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Pools", "as", on_get<&DbusApi::get_pools>, 0, kChanges),
        SD_BUS_PROPERTY("LeaseCount", "u", on_get<&DbusApi::get_lease_count>, 0, kChanges),
        SD_BUS_PROPERTY("LowestGrade", "s", on_get<&DbusApi::get_lowest_grade>, 0, kChanges),
        SD_BUS_VTABLE_END};
    return kTable;
}

/// Where the agent's own lists do not allow a call, polkit may vouch for it. Either way the call is
/// run then, and refuses whom it does not suffice.
Status DbusApi::ask_first(sd_bus_message* message, Peer peer, const Status& allowed,
                          const char* action, const Run& run) {
    if (allowed || !peer.may_be_vouched_for()) return run(message, peer);
    const auto call = std::make_shared<BusMessage>(::sd_bus_message_ref(message));
    const auto caller = std::make_shared<Peer>(std::move(peer));
    const Status asked = polkit_.ask(message, action, [call, caller, run](bool vouched) {
        caller->vouched = vouched;
        if (const Status done = run(call->get(), *caller); !done) {
            reply_error(call->get(), done.error());
        }
    });
    return asked ? Status{} : run(message, *caller);
}

Status DbusApi::administer(sd_bus_message* message, const Run& run) {
    CMK_TRY_ASSIGN(Peer peer, identify_(message));
    const Status allowed = manager_.may_administer(peer);
    return ask_first(message, std::move(peer), allowed, kPolkitManage, run);
}

Status DbusApi::isolate(sd_bus_message* message) {
    CMK_TRY_ASSIGN(IsolateOrder order, read_order(message));
    CMK_TRY_ASSIGN(Peer peer, identify_(message));
    const Status allowed = manager_.may_lease(peer, order.what.pool);
    return ask_first(message, std::move(peer), allowed, kPolkitLease,
                     [this, order](sd_bus_message* call, Peer& caller) {
                         return start(call, std::move(caller), order);
                     });
}

Status DbusApi::isolate_process(sd_bus_message* message) {
    int sent = -1;
    CMK_TRY(read_basic(message, SD_BUS_TYPE_UNIX_FD, &sent));
    CMK_TRY_ASSIGN(IsolateOrder order, read_order(message));
    CMK_TRY_ASSIGN(Peer peer, identify_(message));
    const Status allowed = manager_.may_lease_for_others(peer);
    // The message keeps the descriptor open.
    return ask_first(message, std::move(peer), allowed, kPolkitManage,
                     [this, sent, order](sd_bus_message* call, Peer& caller) -> Status {
                         CMK_TRY(manager_.may_lease_for_others(caller));
                         CMK_TRY_ASSIGN(Peer target, other_process(sent, std::move(caller)));
                         return start(call, std::move(target), order);
                     });
}

/// The caller's right, the other's process.
Result<Peer> DbusApi::other_process(int pidfd, Peer caller) const {
    Peer target{.uid = caller.uid, .groups = std::move(caller.groups)};
    target.vouched = caller.vouched;
    target.pidfd.reset(::fcntl(pidfd, F_DUPFD_CLOEXEC, 3));
    if (!target.pidfd) return errno_error(errno, "cannot keep the pidfd");
    CMK_TRY(describe_peer(target, processes_, cgroups_));
    return target;
}

Status DbusApi::start(sd_bus_message* message, Peer peer, IsolateOrder order) {
    const PendingCall call(new Pending{this, BusMessage(::sd_bus_message_ref(message))});
    call->ticket =
        manager_.isolate(std::move(peer), std::move(order),
                         [this, call](const Result<Grant>& result) { answer(*call, result); });
    if (call->ticket == 0) return {};
    waiting_[call->ticket] = call;
    Status watched = watch_sender(call);
    if (!watched) cancel(call->ticket);
    return watched;
}

void DbusApi::answer(Pending& call, const Result<Grant>& result) {
    sd_bus_message* message = call.message.get();
    Status sent;
    if (result) sent = reply_values(message, result->lease, result->cpus, *result);
    const Error* error = !result ? &result.error() : !sent ? &sent.error() : nullptr;
    if (error != nullptr) reply_error(message, *error);
    waiting_.erase(call.ticket);
}

Status DbusApi::release(sd_bus_message* message) {
    CMK_TRY_ASSIGN(const std::string lease, read_text(message));
    CMK_TRY(read_no_options(message));
    CMK_TRY_ASSIGN(Peer peer, identify_(message));
    const Status allowed = manager_.may_release(peer, lease);
    return ask_first(message, std::move(peer), allowed, kPolkitManage,
                     [this, lease](sd_bus_message* call, Peer& caller) -> Status {
                         CMK_TRY(manager_.release(caller, lease));
                         return reply_values(call);
                     });
}

Status DbusApi::list_pools(sd_bus_message* message) {
    return reply_values(message, manager_.list_pools());
}

Status DbusApi::list_leases(sd_bus_message* message) {
    CMK_TRY_ASSIGN(const Peer peer, identify_(message));
    return reply_values(message, manager_.list_leases(peer));
}

Status DbusApi::get_topology(sd_bus_message* message) {
    CMK_TRY_ASSIGN(const Peer peer, identify_(message));
    const HostReport host = manager_.describe_host(peer);
    return reply_values(message, host.topology.records(), host);
}

Status DbusApi::get_metrics(sd_bus_message* message) {
    CMK_TRY_ASSIGN(const Peer peer, identify_(message));
    CMK_TRY_ASSIGN(const std::string text, manager_.metrics(peer));
    return reply_values(message, text);
}

Status DbusApi::reconcile(sd_bus_message* message) {
    CMK_TRY(read_no_options(message));
    return administer(message, [this](sd_bus_message* call, Peer& caller) -> Status {
        CMK_TRY_ASSIGN(const ReconcileReport report, manager_.reconcile(caller));
        return reply_values(call, report);
    });
}

Status DbusApi::verify(sd_bus_message* message) {
    CMK_TRY_ASSIGN(const std::string lease, read_text(message));
    CMK_TRY(read_no_options(message));
    CMK_TRY_ASSIGN(const Peer peer, identify_(message));
    CMK_TRY_ASSIGN(const auto verdicts, manager_.verify(peer, lease));
    return reply_values(message, verdicts);
}

Status DbusApi::reconfigure(sd_bus_message* message) {
    CMK_TRY_ASSIGN(const auto specs, read_pool_specs(message));
    int dry_run = 0;
    CMK_TRY(read_basic(message, SD_BUS_TYPE_BOOLEAN, &dry_run));
    return administer(message,
                      [this, specs, dry_run](sd_bus_message* call, Peer& caller) -> Status {
                          CMK_TRY_ASSIGN(const ReconfigureReport report,
                                         manager_.reconfigure(caller, specs, dry_run != 0));
                          return reply_values(call, report);
                      });
}

Status DbusApi::reload(sd_bus_message* message) {
    CMK_TRY(read_no_options(message));
    return administer(message, [this](sd_bus_message* call, Peer& caller) -> Status {
        CMK_TRY_ASSIGN(const ReconfigureReport report, manager_.reload(caller));
        return reply_values(call, report);
    });
}

void DbusApi::get_version(BusWriter& writer) const {
    writer.text(manager_.host().version);
}

void DbusApi::get_pools(BusWriter& writer) const {
    std::vector<std::string> names;
    for (const PoolReport& report : manager_.list_pools())
        names.push_back(report.pool.spec.name);
    writer.texts(names);
}

void DbusApi::get_lease_count(BusWriter& writer) const {
    writer.count(static_cast<std::uint32_t>(leases_.size()));
}

void DbusApi::get_lowest_grade(BusWriter& writer) const {
    writer.text(lowest_grade());
}

}  // namespace cmk
