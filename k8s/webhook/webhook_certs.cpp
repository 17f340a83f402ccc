// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/webhook_certs.h"

#include <fcntl.h>

#include <cstdio>
#include <ctime>

#include "base/file_io.h"
#include "base/text.h"
#include "ipc/errors.h"
#include "k8s/webhook/supplied_certificate.h"

namespace cmk::k8s {

namespace {

constexpr char kBundle[] = "ca-bundle.pem";
constexpr char kCertificate[] = "cert.pem";
constexpr char kKey[] = "key.pem";
constexpr unsigned kPublic = 0644;
constexpr unsigned kPrivate = 0600;
constexpr std::int64_t kDay = 86'400;

/// "" where there is none.
Result<std::string> read_present(int directory, const std::string& name) {
    auto text = read_file_at(directory, name);
    if (!text && text.error().sys_errno == ENOENT) return std::string();
    return text;
}

}  // namespace

Result<Rotation> next_certificate(const WebhookCertsOptions& options, const std::string& bundle,
                                  const std::string& certificate, std::int64_t now) {
    const auto names = service_names(options.service, options.name_space);
    if (!options.is_supplied()) return rotate_certificates(bundle, certificate, names, now);
    SuppliedCertificate supplied;
    CMK_TRY_ASSIGN(supplied.server.certificate, read_file_at(AT_FDCWD, options.certificate_file));
    CMK_TRY_ASSIGN(supplied.server.key, read_file_at(AT_FDCWD, options.key_file));
    CMK_TRY_ASSIGN(supplied.authority, read_file_at(AT_FDCWD, options.authority_file));
    auto adopted = adopt_certificate(bundle, certificate, supplied, names, now);
    if (adopted) return adopted;
    return with_context(adopted.error(), options.certificate_file + ", " + options.key_file + ", " +
                                             options.authority_file);
}

Result<Rotation> write_webhook_certificates(const WebhookCertsOptions& options, std::int64_t now) {
    CMK_TRY_ASSIGN(const UniqueFd directory, open_dir_at(AT_FDCWD, options.directory));
    CMK_TRY_ASSIGN(const std::string bundle, read_present(directory.get(), kBundle));
    CMK_TRY_ASSIGN(const std::string certificate, read_present(directory.get(), kCertificate));
    CMK_TRY_ASSIGN(Rotation made, next_certificate(options, bundle, certificate, now));
    CMK_TRY(replace_file_at(directory.get(), kBundle, made.ca_bundle, kPublic));
    CMK_TRY(replace_file_at(directory.get(), kKey, made.server.key, kPrivate));
    CMK_TRY(replace_file_at(directory.get(), kCertificate, made.server.certificate, kPublic));
    return made;
}

std::string validity_of(const Rotation& rotation, std::int64_t now) {
    return counted(static_cast<std::uint64_t>((rotation.not_after - now) / kDay), "day", "days");
}

int run_webhook_certs(const WebhookCertsOptions& options) {
    const std::int64_t now = std::time(nullptr);
    const auto written = write_webhook_certificates(options, now);
    if (!written) {
        std::fprintf(stderr, "cmk-k8s webhook-certs: %s\n", written.error().message.c_str());
        return name_of(written.error().code).exit;
    }
    std::printf("%s/%s is for the caBundle of cmk-webhook-config: apply it first.\n",
                options.directory.c_str(), kBundle);
    std::printf("%s and %s are for the Secret cmk-webhook-certs; they are valid for %s.\n",
                kCertificate, kKey, validity_of(*written, now).c_str());
    return exit_code::kOk;
}

}  // namespace cmk::k8s
