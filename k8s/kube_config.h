// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"

namespace cmk::k8s {

/// Bytes that are there, or a file that has them and may change.
struct TextSource {
    std::string inline_text = {};
    std::string file = {};

    bool empty() const { return inline_text.empty() && file.empty(); }
    friend bool operator==(const TextSource&, const TextSource&) = default;
};

/// Where the API server is and how to prove who we are. PEM throughout.
struct KubeConfig {
    std::string host = {};
    int port = 443;
    std::string base_path = {};    ///< before "/api", "" or "/k8s/clusters/x"
    std::string server_name = {};  ///< what the server's certificate must say, where not `host`
    TextSource ca = {};            ///< empty: the system's
    TextSource token = {};
    TextSource client_certificate = {};
    TextSource client_key = {};
    bool insecure = false;  ///< only where the kubeconfig says so
};

/// Reads a kubeconfig's current context. `directory`: what its relative paths are relative to.
/// Errors: invalid_argument, naming the key and what to do; exec plugins and auth providers are
/// refused by name, because this program starts no others.
Result<KubeConfig> parse_kubeconfig(const std::string& yaml, const std::string& directory);
/// The same from a file.
Result<KubeConfig> read_kubeconfig(const std::string& path);

/// A variable of the environment, or none.
using Environment = std::function<std::optional<std::string>(const char*)>;

/// The service account of the pod that this runs in. `directory`: where kubelet mounts it. Errors:
/// unavailable outside of a pod, saying how to name a kubeconfig.
Result<KubeConfig> in_cluster_config(
    const Environment& environment,
    const std::string& directory = "/var/run/secrets/kubernetes.io/serviceaccount");

/// The named file, else KUBECONFIG, else the pod's service account.
Result<KubeConfig> find_kube_config(const std::string& named, const Environment& environment);

/// Splits "https://host:port/path". Errors: invalid_argument for anything but https.
Status parse_server_url(const std::string& url, KubeConfig& config);

}  // namespace cmk::k8s
