// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/webhook_setup.h"

#include <nlohmann/json.hpp>

#include "k8s/base64.h"
#include "k8s/cluster/object_writer.h"
#include "k8s/cluster/webhook_objects.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

constexpr char kBegin[] = "-----BEGIN CERTIFICATE-----";

std::string core_path(const InitOptions& settings, const char* plural) {
    return "/api/v1/namespaces/" + settings.name_space + "/" + plural;
}

std::string decoded(const json& data, const char* key) {
    return decode_base64(text_of(data, key)).value_or("");
}

/// What signed the certificate of a Secret that was there: its authority, or, as the original made
/// it, the certificate itself. "" where it has none.
std::string authority_in(const json& data) {
    for (const char* key : {kAuthorityKey, "cert.pem"}) {
        std::string pem = decoded(data, key);
        if (pem.find(kBegin) != std::string::npos) return pem;
    }
    return "";
}

/// The Secret, made or found; returns the authority of its certificate.
Result<std::string> set_up_secret(const Cluster& cluster, const InitOptions& settings) {
    CMK_TRY_ASSIGN(const Rotation made,
                   rotate_certificates("", "", service_names(kWebhookService, settings.name_space),
                                       cluster.seconds()));
    const json secret = webhook_secret(made.server, made.ca_bundle);
    const std::string collection = core_path(settings, "secrets");
    CMK_TRY_ASSIGN(const Ensured ensured,
                   ensure_object(cluster.api, collection, secret, Present::kept));
    if (ensured.how == Ensured::How::created) return made.ca_bundle;
    const Request get{.method = "GET", .path = collection + "/" + kWebhookSecret};
    const auto answer = cluster.api.send(get);
    if (auto failure = failure_of(get, answer)) return std::move(failure->error);
    const json object = answer->object();
    std::string authority = authority_in(member_of(object, "data"));
    if (!authority.empty()) return authority;
    CMK_TRY(ensure_object(cluster.api, collection, secret, Present::patched));
    return made.ca_bundle;
}

/// Says what became of an object; an identical one needs no words.
void tell(const Cluster& cluster, const char* name, const Ensured& ensured) {
    if (ensured.how == Ensured::How::found) return;
    cluster.note(std::string(name) + (ensured.how == Ensured::How::created ? ": created"
                                      : ensured.how == Ensured::How::kept
                                          ? ": there already, and kept as it is"
                                          : ": brought up to date"));
}

}  // namespace

Status set_up_webhook(const Cluster& cluster, const InitOptions& settings,
                      const ServerVersion& server) {
    CMK_TRY_ASSIGN(const std::string authority, set_up_secret(cluster, settings));
    struct Step {
        const char* name;
        std::string collection;
        json object;
        Present present;
    };
    const std::vector<Step> steps{
        {kWebhookConfigMap, core_path(settings, "configmaps"), webhook_config_map(settings),
         Present::kept},
        {kWebhookService, core_path(settings, "services"), webhook_service(), Present::patched},
        {kWebhookDeployment, "/apis/apps/v1/namespaces/" + settings.name_space + "/deployments",
         webhook_deployment(settings), Present::patched},
        {kWebhookConfig, webhook_configurations_path(server),
         webhook_configuration(settings, authority, server), Present::patched}};
    for (const Step& step : steps) {
        CMK_TRY_ASSIGN(const Ensured ensured,
                       ensure_object(cluster.api, step.collection, step.object, step.present));
        tell(cluster, step.name, ensured);
    }
    return {};
}

}  // namespace cmk::k8s
