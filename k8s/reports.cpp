// SPDX-License-Identifier: Apache-2.0
#include "k8s/reports.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "confdir/leased_content.h"
#include "confdir/reports.h"
#include "ipc/json_reader.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

constexpr std::size_t kMaxProblems = 8;
constexpr std::size_t kMaxProblemText = 200;

json bounded(const std::vector<std::string>& texts) {
    json list = json::array();
    for (const std::string& text : texts) {
        if (list.size() == kMaxProblems) break;
        list.push_back(text.substr(0, kMaxProblemText));
    }
    return list;
}

std::string lowest_grade(const std::vector<Lease>& leases) {
    const auto lowest =
        std::max_element(leases.begin(), leases.end(),
                         [](const Lease& a, const Lease& b) { return a.grade < b.grade; });
    return lowest == leases.end() ? "-" : std::string(to_text(lowest->grade));
}

json compact_pool(const PoolReport& report) {
    const PoolSpec& spec = report.pool.spec;
    return {{"name", spec.name},
            {"kind", to_text(spec.kind)},
            {"cpus", report.pool.cpus.to_cpulist()},
            {"free", report.free.to_cpulist()},
            {"cores", report.cores},
            {"coresFree", report.free_cores},
            {"leases", report.leases}};
}

/// Leaves out what makes it too long, the largest first, until it is not.
std::string shortened(json status) {
    for (const char* key : {"free", "cpus"}) {
        if (dump_line(status).size() <= kMaxCompact) break;
        for (json& pool : status["pools"])
            pool.erase(key);
        status["shortened"] = true;
    }
    json& pools = status["pools"];
    while (dump_line(status).size() > kMaxCompact && !pools.empty())
        pools.erase(pools.size() - 1);
    return dump_line(status);
}

json compact_node(const AgentState& state) {
    unsigned total = 0;
    unsigned free = 0;
    json pools = json::array();
    for (const PoolReport& report : state.pools) {
        pools.push_back(compact_pool(report));
        if (report.pool.spec.kind != PoolKind::exclusive) continue;
        total += report.cores;
        free += report.free_cores;
    }
    return {{"coresTotal", total},
            {"coresFree", free},
            {"lowestGrade", lowest_grade(state.leases)},
            {"mechanism", state.host.mechanism},
            {"agent", state.host.version},
            {"problems", bounded(state.host.problems)},
            {"pools", std::move(pools)}};
}

json metadata_of(const ReportPlace& place, const std::string& version) {
    json metadata{{"name", place.node}, {"namespace", place.name_space}};
    metadata["ownerReferences"] = json::array(
        {{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", place.node}, {"uid", place.uid}}});
    if (!version.empty()) metadata["resourceVersion"] = version;
    return metadata;
}

std::string third_party_plural(const ReportKind& kind) {
    return std::string(kind.plural + std::string_view("cmk-").size());
}

json third_party_object(const ReportKind& kind, const ReportPlace& place,
                        const ReportContent& content, const std::string& now,
                        const std::string& version) {
    const auto name = third_party_name(place.node);
    json metadata{{"name", name ? *name : place.node}};
    if (!version.empty()) metadata["resourceVersion"] = version;
    return {{"apiVersion", "cmk.intel.com/v1"},
            {"kind", kind.third_party},
            {"metadata", std::move(metadata)},
            {"report", json::parse(content.report, nullptr, false)},
            {"last_updated", now}};
}

}  // namespace

ReportContent node_report(const AgentState& state, const std::string& path) {
    const Topology& topology = state.host.topology;
    Checks further;
    if (!state.host.problems.empty()) further["agent"] = state.host.problems;
    const std::string report =
        node_report_json(content_of(path, topology, state.pools, state.leases), topology,
                         lscpu_core_ids(topology), state.host.isolated, further);
    return {.report = report, .status = shortened(compact_node(state))};
}

ReportContent reconcile_report(const ReconcileReport& report) {
    const json status{{"leases", report.leases},
                      {"repaired", bounded(report.repaired)},
                      {"problems", bounded(report.problems)}};
    return {.report = reconcile_json({}), .status = dump_line(status)};
}

json report_object(const ReportKind& kind, const ReportPlace& place, const ReportContent& content,
                   const std::string& now, const std::string& version, const ServerRules& rules) {
    if (rules.third_party_reports) return third_party_object(kind, place, content, now, version);
    json status = json::parse(content.status, nullptr, false);
    if (!status.is_object()) status = json::object();
    status["lastPublished"] = now;
    return {{"apiVersion", std::string(kReportGroup) + "/v1"},
            {"kind", kind.kind},
            {"metadata", metadata_of(place, version)},
            {"spec", {{"report", json::parse(content.report, nullptr, false)}}},
            {"status", std::move(status)}};
}

std::string collection_path(const ReportKind& kind, const ReportPlace& place,
                            const ServerRules& rules) {
    if (rules.third_party_reports) {
        return "/apis/cmk.intel.com/v1/namespaces/" + place.name_space + "/" +
               third_party_plural(kind);
    }
    return std::string("/apis/") + kReportGroup + "/v1/namespaces/" + place.name_space + "/" +
           kind.plural;
}

std::string object_path(const ReportKind& kind, const ReportPlace& place,
                        const ServerRules& rules) {
    std::string name = place.node;
    if (rules.third_party_reports) {
        if (auto converted = third_party_name(place.node)) name = *std::move(converted);
    }
    return collection_path(kind, place, rules) + "/" + name;
}

std::string heartbeat_patch(const std::string& now) {
    return dump_line({{"status", {{"lastPublished", now}}}});
}

Result<std::string> third_party_name(std::string_view node) {
    std::string name;
    for (const char c : node) {
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        const bool kept = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
        name.push_back(kept ? lower : '-');
    }
    if (name.empty() || name.front() == '-' || name.back() == '-') {
        return make_error(Errc::invalid_argument,
                          "node name " + quote(node) + " cannot be the name of a report");
    }
    return name;
}

}  // namespace cmk::k8s
