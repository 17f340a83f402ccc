// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/webhook_objects.h"

#include <nlohmann/json.hpp>

#include "k8s/cluster/labels.h"
#include "k8s/cluster/server_yaml.h"
#include "k8s/webhook/admission_review.h"
#include "k8s/webhook/mutations.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

constexpr ServerVersion kConfigurationV1{1, 16, 0};
constexpr ServerVersion kMatchConditions{1, 30, 0};
constexpr char kApp[] = "cmk-webhook-app";
constexpr int kNobody = 65534;

/// Pods that the webhook would leave as they are cost no request then.
constexpr char kAsksForCores[] =
    "(object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : "
    "[])).exists(c, has(c.resources) && ((has(c.resources.requests) && "
    "c.resources.requests.exists(r, r.startsWith('cmk.intel.com/'))) || "
    "(has(c.resources.limits) && c.resources.limits.exists(r, r.startsWith('cmk.intel.com/'))))) "
    "|| (has(object.metadata.annotations) && 'cmk.intel.com/mutate' in "
    "object.metadata.annotations)";

json metadata(const char* name) {
    json labels = our_labels("");
    labels["app"] = kApp;
    return {{"name", name}, {"labels", std::move(labels)}};
}

json object(const char* version, const char* kind, const char* name) {
    return {{"apiVersion", version}, {"kind", kind}, {"metadata", metadata(name)}};
}

json one(json value) {
    json list = json::array();
    list.push_back(std::move(value));
    return list;
}

json apart() {
    const json term{{"topologyKey", "kubernetes.io/hostname"},
                    {"labelSelector", {{"matchLabels", {{"app", kApp}}}}}};
    return {{"podAntiAffinity",
             {{"preferredDuringSchedulingIgnoredDuringExecution",
               one({{"weight", 100}, {"podAffinityTerm", term}})}}}};
}

json probe(int period) {
    return {{"httpGet", {{"path", "/healthz"}, {"port", "https"}, {"scheme", "HTTPS"}}},
            {"periodSeconds", period},
            {"timeoutSeconds", 5}};
}

json command_of(const InitOptions& settings) {
    json command = json::array({"cmk-k8s", "webhook", "--conf-file", "/etc/webhook/server.yaml"});
    if (!settings.client_ca.empty() && settings.insecure != "True" && settings.insecure != "true") {
        command.push_back("--cafile");
        command.push_back(settings.client_ca);
    }
    return command;
}

json container(const InitOptions& settings) {
    json mounts = json::array();
    mounts.push_back({{"name", "configmap"}, {"mountPath", "/etc/webhook"}, {"readOnly", true}});
    mounts.push_back({{"name", "certs"}, {"mountPath", "/etc/ssl"}, {"readOnly", true}});
    const json where{{"fieldRef", {{"fieldPath", "metadata.namespace"}}}};
    return {
        {"name", "cmk-webhook"},
        {"image", settings.image},
        {"imagePullPolicy", settings.pull_policy},
        {"command", command_of(settings)},
        {"env", one({{"name", "POD_NAMESPACE"}, {"valueFrom", where}})},
        {"ports", one({{"name", "https"}, {"containerPort", 8443}})},
        {"readinessProbe", probe(5)},
        {"livenessProbe", probe(20)},
        {"resources",
         {{"requests", {{"cpu", "10m"}, {"memory", "24Mi"}}}, {"limits", {{"memory", "256Mi"}}}}},
        {"securityContext",
         {{"allowPrivilegeEscalation", false},
          {"readOnlyRootFilesystem", true},
          {"capabilities", {{"drop", json::array({"ALL"})}}}}},
        {"volumeMounts", std::move(mounts)}};
}

json pod_spec(const InitOptions& settings) {
    json volumes = json::array();
    volumes.push_back({{"name", "configmap"}, {"configMap", {{"name", kWebhookConfigMap}}}});
    volumes.push_back({{"name", "certs"}, {"secret", {{"secretName", kWebhookSecret}}}});
    const json toleration{{"key", "cmk"}, {"operator", "Exists"}, {"effect", "NoSchedule"}};
    json spec{{"affinity", apart()},
              {"automountServiceAccountToken", false},
              {"securityContext",
               {{"runAsNonRoot", true},
                {"runAsUser", kNobody},
                {"runAsGroup", kNobody},
                {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
              {"tolerations", one(toleration)},
              {"containers", one(container(settings))},
              {"volumes", std::move(volumes)}};
    if (!settings.pull_secret.empty())
        spec["imagePullSecrets"] = one({{"name", settings.pull_secret}});
    return spec;
}

json not_in(const char* key, json values) {
    return {{"matchExpressions",
             one({{"key", key}, {"operator", "NotIn"}, {"values", std::move(values)}})}};
}

}  // namespace

json secret_data(const KeyPair& server, const std::string& authority) {
    return {{"cert.pem", base64(server.certificate)},
            {"key.pem", base64(server.key)},
            {kAuthorityKey, base64(authority)}};
}

json webhook_secret(const KeyPair& server, const std::string& authority) {
    json secret = object("v1", "Secret", kWebhookSecret);
    secret["type"] = "Opaque";
    secret["data"] = secret_data(server, authority);
    return secret;
}

json webhook_config_map(const InitOptions& settings) {
    json map = object("v1", "ConfigMap", kWebhookConfigMap);
    map["data"] = {{"server.yaml", server_yaml()},
                   {"mutations.yaml", default_mutations({.conf = settings.conf_dir,
                                                         .install = settings.install_dir})}};
    return map;
}

json webhook_service() {
    json service = object("v1", "Service", kWebhookService);
    service["spec"] = {{"ports", one({{"name", "https"}, {"port", 443}, {"targetPort", 8443}})},
                       {"selector", {{"app", kApp}}}};
    return service;
}

json webhook_deployment(const InitOptions& settings) {
    json deployment = object("apps/v1", "Deployment", kWebhookDeployment);
    json labels = our_labels("");
    labels["app"] = kApp;
    deployment["spec"] = {{"replicas", 2}, {"selector", {{"matchLabels", {{"app", kApp}}}}}};
    deployment["spec"]["template"] = {{"metadata", {{"labels", std::move(labels)}}},
                                      {"spec", pod_spec(settings)}};
    return deployment;
}

json webhook_configuration(const InitOptions& settings, const std::string& bundle,
                           const ServerVersion& server) {
    const bool v1 = server >= kConfigurationV1;
    json webhook{
        {"name", "cmk.intel.com"},
        {"clientConfig",
         {{"caBundle", base64(bundle)},
          {"service",
           {{"name", kWebhookService}, {"namespace", settings.name_space}, {"path", "/mutate"}}}}},
        {"rules", one({{"apiGroups", json::array({""})},
                       {"apiVersions", json::array({"v1"})},
                       {"operations", json::array({"CREATE"})},
                       {"resources", json::array({"pods"})}})},
        {"admissionReviewVersions", json::array({"v1", "v1beta1"})},
        {"sideEffects", "None"},
        {"failurePolicy", "Ignore"},
        {"timeoutSeconds", 5},
        {"reinvocationPolicy", "IfNeeded"},
        {"namespaceSelector", not_in("kubernetes.io/metadata.name", json::array({"kube-system"}))},
        {"objectSelector", not_in("app", json::array({kApp}))}};
    json& spaces = webhook["namespaceSelector"]["matchExpressions"][0]["values"];
    if (settings.name_space != "default") spaces.push_back(settings.name_space);
    if (server >= kMatchConditions) {
        webhook["matchConditions"] =
            one({{"name", "asks-for-cores"}, {"expression", kAsksForCores}});
    }
    json made =
        object(v1 ? "admissionregistration.k8s.io/v1" : "admissionregistration.k8s.io/v1beta1",
               "MutatingWebhookConfiguration", kWebhookConfig);
    made["webhooks"] = one(std::move(webhook));
    return made;
}

std::string webhook_configurations_path(const ServerVersion& server) {
    return std::string("/apis/admissionregistration.k8s.io/") +
           (server >= kConfigurationV1 ? "v1" : "v1beta1") + "/mutatingwebhookconfigurations";
}

}  // namespace cmk::k8s
