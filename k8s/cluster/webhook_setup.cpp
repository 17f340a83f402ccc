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

/// What the Secret says of the webhook's certificate.
struct Vouched {
    std::string certificate;
    std::string authority;
};

/// The Secret, made or found.
Result<Vouched> set_up_secret(const Cluster& cluster, const InitOptions& settings) {
    CMK_TRY_ASSIGN(const Rotation made,
                   rotate_certificates("", "", service_names(kWebhookService, settings.name_space),
                                       cluster.seconds()));
    const json secret = webhook_secret(made.server, made.ca_bundle);
    const std::string collection = core_path(settings, "secrets");
    CMK_TRY_ASSIGN(const Ensured ensured,
                   ensure_object(cluster.api, collection, secret, Present::kept));
    const Vouched ours{.certificate = made.server.certificate, .authority = made.ca_bundle};
    if (ensured.how == Ensured::How::created) return ours;
    const Request get{.method = "GET", .path = collection + "/" + kWebhookSecret};
    const auto answer = cluster.api.send(get);
    if (auto failure = failure_of(get, answer)) return std::move(failure->error);
    const json object = answer->object();
    const json& data = member_of(object, "data");
    std::string authority = authority_in(data);
    if (!authority.empty()) return Vouched{decoded(data, "cert.pem"), std::move(authority)};
    CMK_TRY(ensure_object(cluster.api, collection, secret, Present::patched));
    return ours;
}

/// What goes into caBundle. One that is there and vouches for the certificate stays: an operator's
/// own Secret need not name its authority, and a rotation may have left two.
Result<std::string> bundle_for(const Cluster& cluster, const Vouched& vouched,
                               const ServerVersion& server) {
    const Request get{.method = "GET",
                      .path = webhook_configurations_path(server) + "/" + kWebhookConfig};
    const auto answer = cluster.api.send(get);
    if (answer && answer->status == 404) return vouched.authority;
    if (auto failure = failure_of(get, answer)) return std::move(failure->error);
    const json object = answer->object();
    for (const json& webhook : object.value("webhooks", json::array())) {
        std::string bundle = decoded(member_of(webhook, "clientConfig"), "caBundle");
        if (!authorities_in_use(bundle, vouched.certificate).empty()) return bundle;
    }
    return vouched.authority;
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
    CMK_TRY_ASSIGN(const Vouched vouched, set_up_secret(cluster, settings));
    CMK_TRY_ASSIGN(const std::string bundle, bundle_for(cluster, vouched, server));
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
         webhook_configuration(settings, bundle, server), Present::patched}};
    for (const Step& step : steps) {
        CMK_TRY_ASSIGN(const Ensured ensured,
                       ensure_object(cluster.api, step.collection, step.object, step.present));
        tell(cluster, step.name, ensured);
    }
    return {};
}

}  // namespace cmk::k8s
