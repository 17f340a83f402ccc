// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace cmk::k8s {

struct WebhookCertsOptions {
    std::string directory = ".";
    std::string service = "cmk-webhook-service";
    std::string name_space = "default";
};

/// Makes or rotates the webhook's certificate in files: ca-bundle.pem for the
/// MutatingWebhookConfiguration, cert.pem and key.pem (mode 0600) for the Secret. The directory's
/// present ca-bundle.pem and cert.pem are what rotate_certificates starts from; the bundle is
/// written first. `now` is in seconds since 1970.
/// Errors: io, naming the file; invalid_argument for names that are none.
Status write_webhook_certificates(const WebhookCertsOptions& options, std::int64_t now);

/// `cmk-k8s webhook-certs` with a directory. Tells on stdout what to do with the files, on stderr
/// what went wrong. Returns the exit code.
int run_webhook_certs(const WebhookCertsOptions& options);

}  // namespace cmk::k8s
