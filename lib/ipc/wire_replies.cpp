// SPDX-License-Identifier: Apache-2.0
// What the agent answers, and how it is read.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ipc/json_codec.h"
#include "ipc/json_reader.h"
#include "ipc/names.h"
#include "ipc/wire.h"

namespace cmk::wire {

using nlohmann::json;

namespace {

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
