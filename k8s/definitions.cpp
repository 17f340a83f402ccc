// SPDX-License-Identifier: Apache-2.0
#include "k8s/definitions.h"

#include <nlohmann/json.hpp>

#include "ipc/json_reader.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

json names_of(const ReportKind& kind) {
    return {{"kind", kind.kind},
            {"singular", kind.singular},
            {"plural", kind.plural},
            {"shortNames", json::array({kind.short_name})}};
}

json column(const char* name, const char* type, const char* path) {
    return {{"name", name}, {"type", type}, {"jsonPath", path}};
}

json columns_of(const ReportKind& kind) {
    json columns = json::array();
    if (kind.kind == std::string_view(kNodeReport.kind)) {
        columns.push_back(column("Cores", "integer", ".status.coresTotal"));
        columns.push_back(column("Free", "integer", ".status.coresFree"));
        columns.push_back(column("Grade", "string", ".status.lowestGrade"));
    } else {
        columns.push_back(column("Leases", "integer", ".status.leases"));
    }
    columns.push_back(column("Age", "date", ".metadata.creationTimestamp"));
    return columns;
}

json open_object() {
    return {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
}

json schema() {
    json spec{{"type", "object"}, {"properties", {{"report", open_object()}}}};
    return {{"type", "object"},
            {"properties", {{"spec", std::move(spec)}, {"status", open_object()}}}};
}

}  // namespace

json definition_of(const ReportKind& kind, const ServerRules& rules) {
    const json metadata{{"name", definition_name(kind, rules)}};
    if (rules.third_party_reports) {
        return {{"apiVersion", "extensions/v1beta1"},
                {"kind", "ThirdPartyResource"},
                {"metadata", metadata},
                {"versions", json::array({{{"name", "v1"}}})}};
    }
    json spec{{"group", kReportGroup}, {"scope", "Namespaced"}, {"names", names_of(kind)}};
    if (!rules.crd_v1) {
        spec["version"] = "v1";
    } else {
        spec["preserveUnknownFields"] = false;  // the original's definition has true, v1 refuses it
        spec["versions"] = json::array({{{"name", "v1"},
                                         {"served", true},
                                         {"storage", true},
                                         {"schema", {{"openAPIV3Schema", schema()}}},
                                         {"additionalPrinterColumns", columns_of(kind)}}});
    }
    return {
        {"apiVersion", rules.crd_v1 ? "apiextensions.k8s.io/v1" : "apiextensions.k8s.io/v1beta1"},
        {"kind", "CustomResourceDefinition"},
        {"metadata", metadata},
        {"spec", std::move(spec)}};
}

std::string definitions_path(const ServerRules& rules) {
    if (rules.third_party_reports) return "/apis/extensions/v1beta1/thirdpartyresources";
    return std::string("/apis/apiextensions.k8s.io/") + (rules.crd_v1 ? "v1" : "v1beta1") +
           "/customresourcedefinitions";
}

std::string definition_name(const ReportKind& kind, const ServerRules& rules) {
    if (!rules.third_party_reports) return std::string(kind.plural) + "." + kReportGroup;
    return std::string(kind.singular + std::string_view("cmk-").size()) + ".cmk.intel.com";
}

std::string definition_text(const ReportKind& kind, const ServerRules& rules) {
    return dump_line(definition_of(kind, rules));
}

bool is_established(const Answer& definition) {
    const json object = definition.object();
    const json& status = member_of(object, "status");
    const auto conditions = status.find("conditions");
    if (conditions == status.end() || !conditions->is_array()) return false;
    for (const json& condition : *conditions) {
        if (text_of(condition, "type") == "Established")
            return text_of(condition, "status") == "True";
    }
    return false;
}

}  // namespace cmk::k8s
