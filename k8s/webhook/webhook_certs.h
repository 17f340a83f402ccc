// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "k8s/webhook/certificates.h"

namespace cmk::k8s {

struct WebhookCertsOptions {
    std::string directory = ".";
    std::string service = "cmk-webhook-service";
    std::string name_space = "default";
    /// The operator's own, in PEM: all three or none.
    std::string certificate_file = {};
    std::string key_file = {};
    std::string authority_file = {};

    bool is_supplied() const { return !certificate_file.empty(); }
};

/// The certificate that follows the present one: made by rotate_certificates(), or the operator's.
/// Errors: as of rotate_certificates() and adopt_certificate(), naming the files; io.
Result<Rotation> next_certificate(const WebhookCertsOptions& options, const std::string& bundle,
                                  const std::string& certificate, std::int64_t now);

/// Makes or rotates the webhook's certificate in files: ca-bundle.pem for the
/// MutatingWebhookConfiguration, cert.pem and key.pem (mode 0600) for the Secret. The directory's
/// present ca-bundle.pem and cert.pem are what next_certificate() starts from; the bundle is
/// written first. `now` is in seconds since 1970. Returns what was written. Errors: io, naming the
/// file; as of next_certificate().
Result<Rotation> write_webhook_certificates(const WebhookCertsOptions& options, std::int64_t now);

/// "62 days"
std::string validity_of(const Rotation& rotation, std::int64_t now);

/// `cmk-k8s webhook-certs` with a directory. Tells on stdout what to do with the files, on stderr
/// what went wrong. Returns the exit code.
int run_webhook_certs(const WebhookCertsOptions& options);

}  // namespace cmk::k8s
