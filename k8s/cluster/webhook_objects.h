// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "k8s/cluster/init_options.h"
#include "k8s/server_version.h"
#include "k8s/webhook/certificates.h"

namespace cmk::k8s {

inline constexpr char kWebhookSecret[] = "cmk-webhook-certs";
inline constexpr char kWebhookConfigMap[] = "cmk-webhook-configmap";
inline constexpr char kWebhookService[] = "cmk-webhook-service";
inline constexpr char kWebhookDeployment[] = "cmk-webhook-deployment";
inline constexpr char kWebhookConfig[] = "cmk-webhook-config";
/// In the Secret, beside the webhook's files: the authority that signed its certificate, so that
/// the configuration can be made, or mended, from the Secret.
inline constexpr char kAuthorityKey[] = "ca.pem";

/// The `data` of the Secret.
nlohmann::json secret_data(const KeyPair& server, const std::string& authority);

nlohmann::json webhook_secret(const KeyPair& server, const std::string& authority);
nlohmann::json webhook_config_map(const InitOptions& settings);
nlohmann::json webhook_service();
nlohmann::json webhook_deployment(const InitOptions& settings);
/// v1, or v1beta1 below 1.16. `bundle`: PEM.
nlohmann::json webhook_configuration(const InitOptions& settings, const std::string& bundle,
                                     const ServerVersion& server);

/// "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
std::string webhook_configurations_path(const ServerVersion& server);

}  // namespace cmk::k8s
