// SPDX-License-Identifier: Apache-2.0
#include "ipc/wire.h"

#include <nlohmann/json.hpp>
#include <type_traits>

#include "base/text.h"
#include "ipc/errors.h"
#include "ipc/json_codec.h"
#include "ipc/json_reader.h"
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

}  // namespace cmk::wire
