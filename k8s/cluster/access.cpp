// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/access.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ipc/json_reader.h"
#include "k8s/cluster/webhook_objects.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

constexpr char kReviews[] = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
constexpr ServerVersion kWebhooks{1, 9, 0};

void add(std::vector<Right>& rights, const std::vector<const char*>& verbs, const char* group,
         const char* resource, const std::string& name_space, const char* name = "") {
    for (const char* verb : verbs)
        rights.push_back({verb, group, resource, name_space, name});
}

/// What is created has no name yet that a rule could tell apart.
void add_webhook(std::vector<Right>& rights, const std::string& name_space) {
    constexpr char kHooks[] = "admissionregistration.k8s.io";
    constexpr char kConfigurations[] = "mutatingwebhookconfigurations";
    for (const char* resource : {"secrets", "services", "configmaps"})
        add(rights, {"create"}, "", resource, name_space);
    add(rights, {"create"}, "apps", "deployments", name_space);
    add(rights, {"create"}, kHooks, kConfigurations, "");
    add(rights, {"get", "patch"}, "", "secrets", name_space, kWebhookSecret);
    add(rights, {"get", "patch"}, "", "services", name_space, kWebhookService);
    add(rights, {"get"}, "", "configmaps", name_space, kWebhookConfigMap);
    add(rights, {"get", "patch"}, "apps", "deployments", name_space, kWebhookDeployment);
    add(rights, {"get", "patch"}, kHooks, kConfigurations, "", kWebhookConfig);
}

std::string text_of_right(const Right& right) {
    std::string text = right.verb + " " + right.resource;
    if (!right.group.empty()) text += "." + right.group;
    if (!right.name.empty()) text += " " + right.name;
    return right.name_space.empty() ? text : text + " in namespace " + right.name_space;
}

Request review_of(const Right& right) {
    json attributes{{"verb", right.verb}, {"group", right.group}, {"resource", right.resource}};
    if (!right.name_space.empty()) attributes["namespace"] = right.name_space;
    if (!right.name.empty()) attributes["name"] = right.name;
    return {.method = "POST",
            .path = kReviews,
            .body = dump_line({{"apiVersion", "authorization.k8s.io/v1"},
                               {"kind", "SelfSubjectAccessReview"},
                               {"spec", {{"resourceAttributes", std::move(attributes)}}}})};
}

bool is_allowed(const Answer& answer) {
    const json object = answer.object();
    const json& status = member_of(object, "status");
    const auto at = status.find("allowed");
    return at != status.end() && at->is_boolean() && at->get<bool>();
}

}  // namespace

std::vector<Right> rights_for_init(const std::string& name_space, const ServerVersion& server,
                                   const InitWork& work) {
    const bool webhooks = server >= kWebhooks;
    std::vector<Right> rights;
    add(rights, {"list"}, "", "nodes", "");
    add(rights, {"watch"}, "", "pods", name_space);
    if (work.one_shots) add(rights, {"create", "get", "delete"}, "", "pods", name_space);
    if (work.daemons) {
        add(rights, {"create", "get", "delete"}, webhooks ? "apps" : "extensions", "daemonsets",
            name_space);
    }
    if (webhooks && work.webhook) add_webhook(rights, name_space);
    return rights;
}

std::vector<Right> rights_for_one_shots(const std::string& name_space) {
    std::vector<Right> rights;
    add(rights, {"list"}, "", "nodes", "");
    add(rights, {"watch", "create", "get", "delete"}, "", "pods", name_space);
    return rights;
}

std::vector<Right> rights_for_certificates(const std::string& name_space) {
    std::vector<Right> rights;
    add(rights, {"get", "patch"}, "", "secrets", name_space, kWebhookSecret);
    add(rights, {"get", "update"}, "admissionregistration.k8s.io", "mutatingwebhookconfigurations",
        "", kWebhookConfig);
    return rights;
}

Status check_rights(Api& api, const std::vector<Right>& rights, const char* granted_by) {
    std::vector<std::string> missing;
    for (const Right& right : rights) {
        const Request request = review_of(right);
        const auto answer = api.send(request);
        if (answer && (answer->status == 404 || answer->status == 403)) return {};
        if (auto failure = failure_of(request, answer)) return std::move(failure->error);
        if (!is_allowed(*answer)) missing.push_back(text_of_right(right));
    }
    if (missing.empty()) return {};
    return make_error(Errc::not_permitted, "this credential may not " + join(missing, ", ") +
                                               "; grant it with " + granted_by +
                                               ". Nothing was changed");
}

}  // namespace cmk::k8s
