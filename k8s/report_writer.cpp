// SPDX-License-Identifier: Apache-2.0
#include "k8s/report_writer.h"

#include <nlohmann/json.hpp>

#include "ipc/json_reader.h"

namespace cmk::k8s {

namespace {

constexpr unsigned kMaxRounds = 3;
constexpr char kManager[] = "?fieldManager=cmk-publisher";

std::string owner_of(const nlohmann::json& object) {
    const nlohmann::json& metadata = member_of(object, "metadata");
    const auto owners = metadata.find("ownerReferences");
    if (owners == metadata.end() || !owners->is_array() || owners->empty()) return "";
    return text_of(owners->front(), "uid");
}

}  // namespace

std::optional<Failure> ReportWriter::look(const ReportPlace& place, const ServerRules& rules) {
    const Request request{.method = "GET",
                          .path = object_path(kind_, place, rules),
                          .metadata_only = rules.metadata_answers};
    const auto answer = api_.send(request);
    if (answer && answer->says_object_is_absent()) {
        version_ = "";
        return std::nullopt;
    }
    if (auto failure = failure_of(request, answer)) return failure;
    version_ = answer->resource_version();
    owner_ = owner_of(answer->object());
    return std::nullopt;
}

std::optional<Failure> ReportWriter::write(const ReportPlace& place, const ReportContent& content,
                                           const std::string& now, const ServerRules& rules) {
    for (unsigned round = 1;; ++round) {
        if (!version_) {
            if (auto failure = look(place, rules)) return failure;
        }
        if (!version_->empty() && owner_ != place.uid && !rules.third_party_reports) {
            if (auto failure = remove(place, rules)) return failure;
            version_ = "";
        }
        const bool create = version_->empty();
        const Request request{
            .method = create ? "POST" : "PUT",
            .path =
                (create ? collection_path(kind_, place, rules) : object_path(kind_, place, rules)) +
                kManager,
            .body = dump_line(report_object(kind_, place, content, now, *version_, rules)),
            .metadata_only = rules.metadata_answers};
        const auto answer = api_.send(request);
        auto failure = failure_of(request, answer);
        if (!failure) {
            version_ = answer->resource_version();
            owner_ = place.uid;
            return std::nullopt;
        }
        version_.reset();
        const bool changed_meanwhile =
            failure->status == 409 || (answer && answer->says_object_is_absent() && !create);
        if (!changed_meanwhile || round == kMaxRounds) return failure;
    }
}

std::optional<Failure> ReportWriter::beat(const ReportPlace& place, const std::string& now,
                                          const ServerRules& rules) {
    const Request request{.method = "PATCH",
                          .path = object_path(kind_, place, rules) + kManager,
                          .body = heartbeat_patch(now),
                          .content_type = kMergePatch,
                          .metadata_only = rules.metadata_answers};
    const auto answer = api_.send(request);
    auto failure = failure_of(request, answer);
    version_.reset();
    if (!failure) version_ = answer->resource_version();
    return failure;
}

std::optional<Failure> ReportWriter::remove(const ReportPlace& place, const ServerRules& rules) {
    const Request request{.method = "DELETE", .path = object_path(kind_, place, rules)};
    const auto answer = api_.send(request);
    version_.reset();
    // Without the type there is no object of it either.
    if (answer && answer->status == 404) return std::nullopt;
    return failure_of(request, answer);
}

std::vector<Failure> remove_reports(Api& api, const std::string& name_space,
                                    const std::string& node, const ServerRules& rules) {
    std::vector<std::string> names{node};
    const auto converted = third_party_name(node);
    if (converted && *converted != node) names.push_back(*converted);
    std::vector<Failure> failures;
    for (const ReportKind* kind : {&kNodeReport, &kReconcileReport}) {
        for (const std::string& name : names) {
            ReportWriter writer(api, *kind);
            auto failure = writer.remove({.name_space = name_space, .node = name}, rules);
            if (failure) failures.push_back(*std::move(failure));
        }
    }
    return failures;
}

}  // namespace cmk::k8s
