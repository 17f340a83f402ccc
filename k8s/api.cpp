// SPDX-License-Identifier: Apache-2.0
#include "k8s/api.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ipc/json_reader.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

constexpr std::size_t kMaxMessage = 400;

/// One line without control bytes: it goes into a log.
std::string printable(std::string_view text) {
    std::string line(trim(text.substr(0, kMaxMessage)));
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return c < ' ' || c == 127; }, ' ');
    return line;
}

std::string verb_of(const Request& request) {
    if (request.method == "PATCH") return "patch";
    if (request.method == "POST") return "create";
    if (request.method == "PUT") return "update";
    if (request.method == "DELETE") return "delete";
    return request.path.find("watch=1") != std::string::npos ? "watch" : "get";
}

std::string resource_of(std::string_view path) {
    path = path.substr(0, path.find('?'));
    if (path.find("/nodes/") != std::string_view::npos && path.ends_with("/status")) {
        return "nodes/status";
    }
    for (const char* resource :
         {"cmk-nodereports", "cmk-reconcilereports", "customresourcedefinitions", "events", "nodes",
          "thirdpartyresources", "nodereports", "reconcilereports", "pods", "daemonsets", "secrets",
          "configmaps", "services", "deployments", "mutatingwebhookconfigurations"}) {
        if (path.find(std::string("/") + resource) != std::string_view::npos) return resource;
    }
    return std::string(path);
}

/// kubelet's own credential may not do everything, by the admission plugin NodeRestriction.
std::string advice_for_kubelet(const Request& request, const std::string& message) {
    if (message.find("taint") != std::string::npos) {
        return "kubelet's credential may not set taints: start kubelet with "
               "--register-with-taints=cmk=true:NoSchedule (registerWithTaints in its "
               "configuration), or use a credential of cmk's own";
    }
    return "kubelet's credential may not " + verb_of(request) + " " + resource_of(request.path) +
           ": kubectl create clusterrolebinding cmk-publisher-nodes --clusterrole=cmk-publisher "
           "--group=system:nodes";
}

bool is_for_cluster_init(std::string_view resource) {
    for (const char* each : {"pods", "daemonsets", "secrets", "configmaps", "services",
                             "deployments", "mutatingwebhookconfigurations"})
        if (resource == each) return true;
    return false;
}

/// Where the right is meant to come from; `message` names the account that lacks it.
const char* role_for(std::string_view resource, const std::string& message) {
    if (message.find(":cmk-serviceaccount\"") != std::string::npos) {
        return " (the ClusterRoles in cmk-rbac-rules.yaml)";
    }
    if (message.find(":cmk-webhook-rotation\"") != std::string::npos) {
        return " (cmk-webhook-rotation.yaml)";
    }
    return is_for_cluster_init(resource)
               ? " (ClusterRole cmk-cluster-init in cmk-rbac-cluster-init.yaml)"
               : " (ClusterRole cmk-publisher in cmk-rbac-publisher.yaml)";
}

std::string advice_to_grant(const Request& request, const std::string& message) {
    if (message.find("violates PodSecurity") != std::string::npos) {
        return "these pods mount directories of the host: label their namespace "
               "pod-security.kubernetes.io/enforce=privileged";
    }
    const std::string resource = resource_of(request.path);
    return "grant the verb " + verb_of(request) + " on " + resource + role_for(resource, message);
}

/// What is absent need not be what was asked for, but the namespace that it is to be in.
const char* advice_on_name(const Answer& answer) {
    const json object = answer.object();
    if (text_of(member_of(object, "details"), "kind") == "namespaces") {
        return "create the namespace, or check its name (--namespace, --report-namespace)";
    }
    return "check the name (--node)";
}

std::string advice(const Request& request, const Answer& answer) {
    const std::string message = answer.message();
    switch (answer.status) {
        case 401:
            return "the credential is not valid (any more): renew the token or the certificate";
        case 403:
            if (message.find("system:node:") != std::string::npos ||
                message.find("not allowed to modify taints") != std::string::npos) {
                return advice_for_kubelet(request, message);
            }
            return advice_to_grant(request, message);
        case 404:
            if (answer.says_object_is_absent()) return advice_on_name(answer);
            return "the type is not defined in this cluster: kubectl apply -f cmk-crds.yaml";
        case 429: return "the server is busy; it is asked again later";
        default: return answer.status >= 500 ? "the server's own log says more" : "";
    }
}

Errc code_of(int status) {
    switch (status) {
        case 400:
        case 422: return Errc::invalid_argument;
        case 401:
        case 403: return Errc::not_permitted;
        case 409: return Errc::conflict;
        case 429: return Errc::too_many;
        default: return Errc::unavailable;
    }
}

}  // namespace

const json& member_of(const json& value, const char* key) {
    static const json empty = json::object();
    if (!value.is_object()) return empty;
    const auto at = value.find(key);
    return at == value.end() || !at->is_object() ? empty : *at;
}

std::string text_of(const json& value, const char* key) {
    if (!value.is_object()) return "";
    const auto at = value.find(key);
    return at == value.end() || !at->is_string() ? "" : at->get<std::string>();
}

json Answer::object() const {
    auto value = parse_object(body);
    return value ? *std::move(value) : json::object();
}

std::string Answer::text(const char* key) const {
    return text_of(object(), key);
}

std::string Answer::resource_version() const {
    return text_of(member_of(object(), "metadata"), "resourceVersion");
}

std::string Answer::message() const {
    const std::string said = text_of(object(), "message");
    return printable(said.empty() ? body : said);
}

bool Answer::says_object_is_absent() const {
    return status == 404 && !text_of(member_of(object(), "details"), "name").empty();
}

std::optional<Failure> failure_of(const Request& request, const Result<Answer>& answer) {
    if (!answer) return Failure{.error = answer.error()};
    if (answer->ok()) return std::nullopt;
    return Failure{.error = refusal(request, *answer),
                   .status = answer->status,
                   .retry_after = answer->retry_after};
}

Error refusal(const Request& request, const Answer& answer) {
    std::string text = request.method + " " + request.path.substr(0, request.path.find('?')) +
                       " was answered with " + std::to_string(answer.status);
    const std::string message = answer.message();
    if (!message.empty()) text += ": " + message;
    const std::string what_to_do = advice(request, answer);
    if (!what_to_do.empty()) text += "; " + what_to_do;
    return make_error(code_of(answer.status), text);
}

}  // namespace cmk::k8s
