// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/webhook_certs.h"

#include <fcntl.h>

#include <cstdio>
#include <ctime>

#include "base/file_io.h"
#include "ipc/errors.h"
#include "k8s/webhook/certificates.h"

namespace cmk::k8s {

namespace {

constexpr char kBundle[] = "ca-bundle.pem";
constexpr char kCertificate[] = "cert.pem";
constexpr char kKey[] = "key.pem";
constexpr unsigned kPublic = 0644;
constexpr unsigned kPrivate = 0600;

/// "" where there is none.
Result<std::string> read_present(int directory, const std::string& name) {
    auto text = read_file_at(directory, name);
    if (!text && text.error().sys_errno == ENOENT) return std::string();
    return text;
}

}  // namespace

Status write_webhook_certificates(const WebhookCertsOptions& options, std::int64_t now) {
    CMK_TRY_ASSIGN(const UniqueFd directory, open_dir_at(AT_FDCWD, options.directory));
    CMK_TRY_ASSIGN(const std::string bundle, read_present(directory.get(), kBundle));
    CMK_TRY_ASSIGN(const std::string certificate, read_present(directory.get(), kCertificate));
    CMK_TRY_ASSIGN(const Rotation made,
                   rotate_certificates(bundle, certificate,
                                       service_names(options.service, options.name_space), now));
    CMK_TRY(replace_file_at(directory.get(), kBundle, made.ca_bundle, kPublic));
    CMK_TRY(replace_file_at(directory.get(), kKey, made.server.key, kPrivate));
    return replace_file_at(directory.get(), kCertificate, made.server.certificate, kPublic);
}

int run_webhook_certs(const WebhookCertsOptions& options) {
    const Status written = write_webhook_certificates(options, std::time(nullptr));
    if (!written) {
        std::fprintf(stderr, "cmk-k8s webhook-certs: %s\n", written.error().message.c_str());
        return name_of(written.error().code).exit;
    }
    std::printf("%s/%s is for the caBundle of cmk-webhook-config: apply it first.\n",
                options.directory.c_str(), kBundle);
    std::printf("%s and %s are for the Secret cmk-webhook-certs; they are valid for %d days.\n",
                kCertificate, kKey, kCertificateDays);
    return exit_code::kOk;
}

}  // namespace cmk::k8s
