// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/webhook_rotation.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "ipc/json_reader.h"
#include "k8s/base64.h"
#include "k8s/cluster/access.h"
#include "k8s/cluster/webhook_objects.h"
#include "k8s/cluster/webhook_setup.h"
#include "k8s/server.h"
#include "k8s/webhook/admission_review.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

constexpr unsigned kMaxRounds = 3;

Result<json> get(Api& api, const std::string& path) {
    const Request request{.method = "GET", .path = path};
    const auto answer = api.send(request);
    if (answer && answer->status == 404) {
        return make_error(Errc::unavailable,
                          "there is no " + path + "; cmk-k8s cluster-init makes it");
    }
    if (auto failure = failure_of(request, answer)) return std::move(failure->error);
    return answer->object();
}

/// The clientConfigs that call our Service, or none.
std::vector<json*> client_configs(json& configuration, const std::string& service,
                                  const std::string& name_space) {
    std::vector<json*> found;
    const auto webhooks = configuration.find("webhooks");
    if (webhooks == configuration.end() || !webhooks->is_array()) return found;
    for (json& webhook : *webhooks) {
        if (!webhook.is_object() || member_of(webhook, "clientConfig").empty()) continue;
        json& config = webhook["clientConfig"];
        const json& called = member_of(config, "service");
        if (text_of(called, "name") == service && text_of(called, "namespace") == name_space)
            found.push_back(&config);
    }
    return found;
}

Result<Answer> write(Api& api, const Request& request) {
    auto answer = api.send(request);
    if (answer && answer->status == 409) return answer;
    if (auto failure = failure_of(request, answer)) return std::move(failure->error);
    return answer;
}

Request secret_patch(const std::string& path, const json& secret, const Rotation& made) {
    return {.method = "PATCH",
            .path = path,
            .body = dump_line(
                {{"metadata",
                  {{"resourceVersion", text_of(member_of(secret, "metadata"), "resourceVersion")}}},
                 {"data", secret_data(made.server, made.authority)}}),
            .content_type = kMergePatch};
}

/// One attempt. Nothing where somebody else has written meanwhile.
Result<std::optional<Rotation>> rotate(const Cluster& cluster, const WebhookCertsOptions& options,
                                       const std::string& configuration_path) {
    const std::string secret_path =
        "/api/v1/namespaces/" + options.name_space + "/secrets/" + kWebhookSecret;
    CMK_TRY_ASSIGN(const json secret, get(cluster.api, secret_path));
    CMK_TRY_ASSIGN(json configuration, get(cluster.api, configuration_path));
    const auto configs = client_configs(configuration, options.service, options.name_space);
    if (configs.empty()) {
        return make_error(Errc::unavailable, configuration_path + " does not call the Service " +
                                                 options.service + " of namespace " +
                                                 options.name_space);
    }
    const json& data = member_of(secret, "data");
    CMK_TRY_ASSIGN(
        Rotation made,
        next_certificate(options, decode_base64(text_of(*configs.front(), "caBundle")).value_or(""),
                         decode_base64(text_of(data, "cert.pem")).value_or(""), cluster.seconds()));
    for (json* config : configs)
        (*config)["caBundle"] = base64(made.ca_bundle);
    CMK_TRY_ASSIGN(const Answer told, write(cluster.api, {.method = "PUT",
                                                          .path = configuration_path,
                                                          .body = dump_line(configuration)}));
    if (!told.ok()) return std::optional<Rotation>();
    CMK_TRY_ASSIGN(const Answer kept, write(cluster.api, secret_patch(secret_path, secret, made)));
    if (!kept.ok()) return std::optional<Rotation>();
    return std::optional<Rotation>(std::move(made));
}

}  // namespace

Status rotate_webhook_certificate(const Cluster& cluster, const WebhookCertsOptions& options) {
    CMK_TRY_ASSIGN(const ServerVersion server, supported_version(cluster.api));
    if (server < kFirstWithWebhook) {
        return make_error(Errc::unavailable, "Kubernetes " + to_text(server) + " has no webhooks");
    }
    CMK_TRY(
        check_rights(cluster.api, rights_for_certificates(options.name_space), kRotationRights));
    const std::string path = webhook_configurations_path(server) + "/" + kWebhookConfig;
    for (unsigned round = 1; round <= kMaxRounds; ++round) {
        CMK_TRY_ASSIGN(const auto made, rotate(cluster, options, path));
        if (!made) continue;
        cluster.note("the webhook has a new certificate, valid for " +
                     validity_of(*made, cluster.seconds()) +
                     "; pods see it when kubelet has brought the Secret to them");
        return {};
    }
    return make_error(Errc::conflict, path + " is changed by somebody else all the time");
}

}  // namespace cmk::k8s
