// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace cmk::k8s {

struct WebhookOptions {
    std::string conf_file = "/etc/webhook/server.yaml";
    /// PEM authorities of which a client of /mutate must show a certificate; over server.yaml's.
    std::string client_ca = {};
    /// Where the webhook runs; "" takes POD_NAMESPACE, or the service account's namespace file.
    std::string own_namespace = {};
};

/// `cmk-k8s webhook`: serves until SIGTERM or SIGINT, then answers what has been asked. Reads
/// certificate and mutation files again when they change (and at SIGHUP), without disturbing
/// connections. Tells on stderr what it does. Blocks those signals for the whole process. Returns
/// the exit code.
int run_webhook(const WebhookOptions& options);

}  // namespace cmk::k8s
