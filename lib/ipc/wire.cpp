// SPDX-License-Identifier: Apache-2.0
#include "ipc/wire.h"

#include <nlohmann/json.hpp>
#include <type_traits>

#include "base/text.h"
#include "ipc/errors.h"
#include "ipc/json_codec.h"
#include "ipc/names.h"

namespace cmk::wire {

using nlohmann::json;

namespace {

constexpr char kServicePrefix[] = "org.varlink.service.";
/// Ten years: longer waits are forever.
constexpr std::uint64_t kMaxWaitMs = 10ULL * 366 * 24 * 3600 * 1000;

// Names of the methods, by their position in the Method variant.
constexpr const char* kMethodNames[] = {"org.cmk.Agent.Isolate",
                                        "org.cmk.Agent.Release",
                                        "org.cmk.Agent.ListPools",
                                        "org.cmk.Agent.ListLeases",
                                        "org.cmk.Agent.GetTopology",
                                        "org.cmk.Agent.GetMetrics",
                                        "org.cmk.Agent.Reconcile",
                                        "org.cmk.Agent.Verify",
                                        "org.cmk.Agent.Reconfigure",
                                        "org.cmk.Agent.Reload",
                                        "org.cmk.Agent.Monitor",
                                        "org.varlink.service.GetInfo",
                                        "org.varlink.service.GetInterfaceDescription"};
static_assert(std::size(kMethodNames) == std::variant_size_v<Method>);

template <typename T>
constexpr bool kIsEmpty = std::is_empty_v<T>;

// Parameters of each method: to JSON, and back with a strict reader.
json parameters_of(const Isolate& call) {
    json value{{"pool", call.what.pool}, {"cores", call.what.cores}};
    if (call.what.package) value["package"] = *call.what.package;
    if (!call.pin) value["pin"] = false;
    if (call.wait_ms > 0) value["wait_ms"] = call.wait_ms;
    if (call.has_pidfd) value["pidfd"] = 0;
    return value;
}
json parameters_of(const Release& call) {
    return {{"lease", call.lease}};
}
json parameters_of(const Verify& call) {
    return call.lease.empty() ? json::object() : json{{"lease", call.lease}};
}
json parameters_of(const Reconfigure& call) {
    json pools = json::array();
    for (const PoolSpec& spec : call.pools)
        pools.push_back(to_json(spec));
    json value{{"pools", std::move(pools)}, {"dry_run", call.dry_run}};
    if (call.compat) value["compat"] = true;
    return value;
}
json parameters_of(const GetInterfaceDescription& call) {
    return {{"interface", call.interface}};
}
template <typename T>
requires kIsEmpty<T> json parameters_of(const T&) {
    return json::object();
}

void read(JsonReader& reader, Isolate& call) {
    reader.allow_only({"pool", "cores", "package", "pin", "wait_ms", "pidfd"});
    call.what.pool = reader.text("pool");
    if (reader.has("cores")) {
        call.what.cores = static_cast<unsigned>(reader.number("cores", kMaxCpus));
    }
    if (reader.has("package")) {
        call.what.package = static_cast<unsigned>(reader.number("package", UINT32_MAX));
    }
    if (reader.has("pin")) call.pin = reader.flag("pin");
    if (reader.has("wait_ms")) call.wait_ms = reader.number("wait_ms", kMaxWaitMs);
    call.has_pidfd = reader.has("pidfd");
    if (call.has_pidfd) reader.number("pidfd", 0);
}
void read(JsonReader& reader, Release& call) {
    reader.allow_only({"lease"});
    call.lease = reader.text("lease");
}
void read(JsonReader& reader, Verify& call) {
    reader.allow_only({"lease"});
    if (reader.has("lease")) call.lease = reader.text("lease");
}
void read(JsonReader& reader, Reconfigure& call) {
    reader.allow_only({"pools", "dry_run", "compat"});
    if (reader.has("compat")) call.compat = reader.flag("compat");
    if (reader.has("dry_run")) call.dry_run = reader.flag("dry_run");
    const json* pools = reader.member("pools");
    if (pools == nullptr || !pools->is_array()) return reader.fail("pools", "must be a list");
    for (const json& entry : *pools) {
        auto spec = pool_spec_from(entry);
        if (!spec) {
            return reader.fail("pools[" + std::to_string(call.pools.size()) + "]",
                               spec.error().message);
        }
        call.pools.push_back(*std::move(spec));
    }
}
void read(JsonReader& reader, GetInterfaceDescription& call) {
    reader.allow_only({"interface"});
    call.interface = reader.text("interface");
}
template <typename T>
requires kIsEmpty<T>
void read(JsonReader& reader, T&) {
    reader.allow_only({});
}

Failure service_failure(const char* name, std::string parameter, std::string message) {
    return {std::string(kServicePrefix) + name, std::move(message), std::move(parameter)};
}

template <std::size_t Index = 0>
std::variant<Call, Failure> decode_method(const std::string& name, const json& parameters) {
    if constexpr (Index == std::variant_size_v<Method>) {
        return service_failure("MethodNotFound", name, "");
    } else {
        if (name != kMethodNames[Index]) return decode_method<Index + 1>(name, parameters);
        std::variant_alternative_t<Index, Method> method{};
        JsonReader reader(parameters);
        read(reader, method);
        if (!reader.ok()) {
            return service_failure("InvalidParameter", reader.bad_key(), reader.error().message);
        }
        return Call{.method = std::move(method)};
    }
}

std::string reply(json parameters, bool continues = false) {
    json message{{"parameters", std::move(parameters)}};
    if (continues) message["continues"] = true;
    return dump_line(message);
}

template <typename T>
json list_of(const std::vector<T>& items) {
    json list = json::array();
    for (const T& item : items)
        list.push_back(to_json(item));
    return list;
}

template <typename T>
Result<std::vector<T>> read_list(JsonReader& reader, const char* key,
                                 Result<T> (*decode)(const json&)) {
    std::vector<T> items;
    const json* list = reader.member(key);
    if (list == nullptr || !list->is_array()) {
        return make_error(Errc::invalid_argument, std::string(key) + ": is missing");
    }
    for (const json& entry : *list) {
        CMK_TRY_ASSIGN(T item, decode(entry));
        items.push_back(std::move(item));
    }
    return items;
}

// Reply parameters back to their types.
Result<Nothing> from(JsonReader&, const Nothing&) {
    return Nothing{};
}

Result<Grant> from(JsonReader& reader, Grant grant) {
    grant.lease = reader.text("lease");
    grant.cpus = reader.cpus("cpus");
    const std::string grade = reader.text("grade");
    const auto known = grade_from(grade);
    if (!known) reader.fail("grade", quote(grade) + " is not one of A, B, C, D");
    grant.grade = known.value_or(Grade::D);
    grant.notes = reader.texts("notes");
    if (reader.has("shared")) grant.shared = reader.cpus("shared");
    if (reader.has("infra")) grant.infra = reader.cpus("infra");
    return grant;
}

Result<std::vector<PoolReport>> from(JsonReader& reader, const std::vector<PoolReport>&) {
    return read_list(reader, "pools", pool_report_from);
}

Result<std::vector<Lease>> from(JsonReader& reader, const std::vector<Lease>&) {
    return read_list(reader, "leases", lease_from);
}

Result<HostReport> from(JsonReader& reader, HostReport host) {
    CMK_TRY_ASSIGN(auto records, read_list(reader, "cpus", cpu_record_from));
    CMK_TRY_ASSIGN(host.topology, Topology::from_records(std::move(records)));
    host.isolated = reader.cpus("isolated");
    host.mechanism = reader.text("mechanism");
    host.version = reader.text("version");
    host.problems = reader.texts("problems");
    return host;
}

Result<MetricsPage> from(JsonReader& reader, MetricsPage metrics) {
    metrics.text = reader.text("text");
    return metrics;
}

Result<ReconcileReport> from(JsonReader& reader, ReconcileReport report) {
    report.leases = static_cast<unsigned>(reader.number("leases", UINT32_MAX));
    report.repaired = reader.texts("repaired");
    report.problems = reader.texts("problems");
    return report;
}

Result<std::vector<LeaseVerdict>> from(JsonReader& reader, const std::vector<LeaseVerdict>&) {
    return read_list(reader, "verdicts", verdict_from);
}

Result<ReconfigureReport> from(JsonReader& reader, ReconfigureReport report) {
    report.changed = reader.flag("changed");
    report.changes = reader.texts("changes");
    report.warnings = reader.texts("warnings");
    CMK_TRY_ASSIGN(report.pools, read_list(reader, "pools", pool_report_from));
    return report;
}

Result<std::optional<Event>> from(JsonReader& reader, const std::optional<Event>&) {
    const json* event = reader.member("event");
    if (event == nullptr) return std::optional<Event>();
    CMK_TRY_ASSIGN(Event decoded, event_from(*event));
    return std::optional<Event>(std::move(decoded));
}

Error not_understood(const std::string& why) {
    return make_error(Errc::unavailable, "the agent's answer is not understood (" + why +
                                             "); are cmk-agent and this program of one version?");
}

Failure failure_from(const json& message) {
    Failure failure;
    failure.name = message["error"].is_string() ? message["error"].get<std::string>() : "";
    const json parameters = message.value("parameters", json::object());
    JsonReader reader(parameters);
    if (reader.has("message")) failure.message = reader.text("message");
    for (const char* key : {"parameter", "method", "interface"}) {
        if (reader.has(key)) failure.parameter = reader.text(key);
    }
    return failure;
}

}  // namespace

Failure to_failure(const Error& error) {
    const ErrorName& name = name_of(error.code);
    return {name.varlink, error.message.empty() ? name.text : error.message, ""};
}

Error to_error(const Failure& failure) {
    if (const auto code = errc_from_varlink(failure.name)) {
        return make_error(*code, failure.message.empty() ? name_of(*code).text : failure.message);
    }
    if (failure.name == std::string(kServicePrefix) + "InvalidParameter") {
        return make_error(Errc::invalid_argument, failure.message.empty()
                                                      ? "bad parameter " + quote(failure.parameter)
                                                      : failure.message);
    }
    return make_error(Errc::unavailable, "the agent answered " + quote(failure.name) +
                                             (failure.parameter.empty() ? "" : " for ") +
                                             failure.parameter);
}

const std::vector<std::string>& method_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> shortened;
        for (const std::string_view name : kMethodNames)
            shortened.emplace_back(name.substr(name.rfind('.') + 1));
        return shortened;
    }();
    return names;
}

std::string encode(const Call& call) {
    json message{{"method", kMethodNames[call.method.index()]}};
    message["parameters"] =
        std::visit([](const auto& method) { return parameters_of(method); }, call.method);
    if (call.oneway) message["oneway"] = true;
    if (call.more) message["more"] = true;
    return dump_line(message);
}

std::variant<Call, Failure> decode_call(std::string_view text) {
    const auto message = parse_object(text);
    if (!message) return to_failure(message.error());
    JsonReader reader(*message);
    const std::string name = reader.text("method");
    const bool oneway = reader.has("oneway") && reader.flag("oneway");
    const bool more = reader.has("more") && reader.flag("more");
    if (!reader.ok()) return to_failure(reader.error());
    const json* parameters = reader.member("parameters");
    auto decoded = decode_method(name, parameters == nullptr ? json::object() : *parameters);
    if (auto* call = std::get_if<Call>(&decoded)) {
        call->oneway = oneway;
        call->more = more;
        if (std::holds_alternative<Monitor>(call->method) && !more) {
            return service_failure("ExpectedMore", "", "");
        }
    }
    return decoded;
}

std::string encode_failure(const Failure& failure) {
    json parameters = json::object();
    if (!failure.message.empty()) parameters["message"] = failure.message;
    const bool about_method = failure.name == std::string(kServicePrefix) + "MethodNotFound";
    const bool about_interface = failure.name == std::string(kServicePrefix) + "InterfaceNotFound";
    if (!failure.parameter.empty()) {
        parameters[about_method      ? "method"
                   : about_interface ? "interface"
                                     : "parameter"] = failure.parameter;
    }
    return dump_line({{"error", failure.name}, {"parameters", std::move(parameters)}});
}

std::string encode_empty() {
    return reply(json::object());
}

std::string encode(const Grant& grant) {
    json value{{"lease", grant.lease},
               {"cpus", grant.cpus.to_cpulist()},
               {"grade", to_text(grant.grade)},
               {"notes", grant.notes}};
    if (grant.shared) value["shared"] = grant.shared->to_cpulist();
    if (grant.infra) value["infra"] = grant.infra->to_cpulist();
    return reply(std::move(value));
}

std::string encode(const std::vector<PoolReport>& pools) {
    return reply({{"pools", list_of(pools)}});
}

std::string encode(const std::vector<Lease>& leases) {
    return reply({{"leases", list_of(leases)}});
}

std::string encode(const HostReport& host) {
    return reply({{"cpus", list_of(host.topology.records())},
                  {"isolated", host.isolated.to_cpulist()},
                  {"mechanism", host.mechanism},
                  {"version", host.version},
                  {"problems", host.problems}});
}

std::string encode(const MetricsPage& metrics) {
    return reply({{"text", metrics.text}});
}

std::string encode(const ReconcileReport& report) {
    return reply(
        {{"leases", report.leases}, {"repaired", report.repaired}, {"problems", report.problems}});
}

std::string encode(const std::vector<LeaseVerdict>& verdicts) {
    return reply({{"verdicts", list_of(verdicts)}});
}

std::string encode(const ReconfigureReport& report) {
    return reply({{"changed", report.changed},
                  {"pools", list_of(report.pools)},
                  {"changes", report.changes},
                  {"warnings", report.warnings}});
}

std::string encode(const std::optional<Event>& event) {
    return reply(event ? json{{"event", to_json(*event)}} : json::object(), true);
}

std::string encode_info(const std::string& version) {
    return reply({{"vendor", "CMK"},
                  {"product", "cmk-agent"},
                  {"version", version},
                  {"url", "https://varlink.org"},
                  {"interfaces", {"org.varlink.service", kVarlinkInterface}}});
}

std::string encode_description(std::string_view description) {
    return reply({{"description", description}});
}

template <typename T>
Result<T> decode_reply(std::string_view text) {
    const auto message = parse_object(text);
    if (!message) return not_understood(message.error().message);
    if (message->contains("error")) return to_error(failure_from(*message));
    const json parameters = message->value("parameters", json::object());
    JsonReader reader(parameters);
    Result<T> value = from(reader, T{});
    if (!reader.ok()) return not_understood(reader.error().message);
    if (!value) return not_understood(value.error().message);
    return value;
}

template Result<Nothing> decode_reply(std::string_view);
template Result<Grant> decode_reply(std::string_view);
template Result<std::vector<PoolReport>> decode_reply(std::string_view);
template Result<std::vector<Lease>> decode_reply(std::string_view);
template Result<HostReport> decode_reply(std::string_view);
template Result<MetricsPage> decode_reply(std::string_view);
template Result<ReconcileReport> decode_reply(std::string_view);
template Result<std::vector<LeaseVerdict>> decode_reply(std::string_view);
template Result<ReconfigureReport> decode_reply(std::string_view);
template Result<std::optional<Event>> decode_reply(std::string_view);

}  // namespace cmk::wire
