// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/supplied_certificate.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/text.h"
#include "k8s/webhook/x509.h"

namespace cmk::k8s {

namespace {

using Certificates = std::vector<Certificate>;
using Store = Handle<X509_STORE, X509_STORE_free>;
using Verification = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;

void free_stack(STACK_OF(X509) * stack) noexcept {
    sk_X509_free(stack);
}
using Stack = Handle<STACK_OF(X509), free_stack>;

void free_names(GENERAL_NAMES* names) noexcept {
    GENERAL_NAMES_free(names);
}
using Names = Handle<GENERAL_NAMES, free_names>;

Error wrong(const std::string& text) {
    return make_error(Errc::invalid_argument, text);
}

/// Its DNS names, for people.
std::string names_of(const X509* certificate) {
    const Names names(static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    std::vector<std::string> found;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type != GEN_DNS) continue;
        const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
        found.emplace_back(bytes, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    }
    return found.empty() ? "none" : join(found, ", ");
}

/// API servers look at the alternative names alone.
Status check_name(X509* certificate, const std::string& name) {
    if (X509_check_host(certificate, name.data(), name.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                        nullptr) == 1) {
        return {};
    }
    return wrong(
        "the certificate is not for " + name +
        ", by which API servers call the webhook; its DNS names: " + names_of(certificate));
}

Status check_time(X509* certificate, std::int64_t now) {
    auto seconds = static_cast<time_t>(now);
    if (X509_cmp_time(X509_get0_notAfter(certificate), &seconds) < 0) {
        return wrong("the certificate has expired");
    }
    if (X509_cmp_time(X509_get0_notBefore(certificate), &seconds) > 0) {
        return wrong("the certificate is not valid yet");
    }
    return {};
}

/// As API servers do: whatever the bundle has is trusted, an intermediate or the certificate
/// itself.
Status verify(const Certificates& served, const Certificates& authorities, std::int64_t now) {
    const Store store(X509_STORE_new());
    const Stack chain(sk_X509_new_null());
    const Verification verification(X509_STORE_CTX_new());
    if (!store || !chain || !verification)
        return openssl_error(Errc::internal, "cannot verify the certificate");
    for (const Certificate& each : authorities)
        X509_STORE_add_cert(store.get(), each.get());
    for (const Certificate& each : served)
        sk_X509_push(chain.get(), each.get());
    X509_STORE_CTX_init(verification.get(), store.get(), served[0].get(), chain.get());
    X509_VERIFY_PARAM* wanted = X509_STORE_CTX_get0_param(verification.get());
    X509_VERIFY_PARAM_set_flags(wanted, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_purpose(wanted, X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_time(wanted, static_cast<time_t>(now));
    const bool is_good = X509_verify_cert(verification.get()) == 1;
    ERR_clear_error();
    if (is_good) return {};
    return wrong(std::string("the authority does not vouch for the certificate: ") +
                 X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification.get())));
}

std::string with(std::string bundle, const Certificates& authorities) {
    const Certificates present = certificates_in(bundle);
    for (const Certificate& each : authorities) {
        const bool is_there = std::any_of(
            present.begin(), present.end(),
            [&](const Certificate& other) { return X509_cmp(other.get(), each.get()) == 0; });
        if (!is_there) bundle += pem_of(each.get());
    }
    return bundle;
}

std::string text_of(const Certificates& certificates) {
    std::string text;
    for (const Certificate& each : certificates)
        text += pem_of(each.get());
    return text;
}

}  // namespace

Result<Rotation> adopt_certificate(const std::string& old_bundle,
                                   const std::string& old_certificate,
                                   const SuppliedCertificate& supplied,
                                   const std::vector<std::string>& names, std::int64_t now) {
    const Certificates served = certificates_in(supplied.server.certificate);
    const Certificates authorities = certificates_in(supplied.authority);
    const Key key = private_key_in(supplied.server.key);
    if (served.empty()) return wrong("the certificate is no PEM certificate");
    if (authorities.empty()) return wrong("the authority is no PEM certificate");
    if (!key)
        return openssl_error(Errc::invalid_argument, "the key is no PEM key without a password");
    if (X509_check_private_key(served[0].get(), key.get()) != 1) {
        ERR_clear_error();
        return wrong("the key is not the certificate's");
    }
    CMK_TRY(check_name(served[0].get(), names[0]));
    CMK_TRY(check_time(served[0].get(), now));
    CMK_TRY(verify(served, authorities, now));
    CMK_TRY_ASSIGN(const std::int64_t end, end_of(*served[0]));
    return Rotation{.ca_bundle = with(authorities_in_use(old_bundle, old_certificate), authorities),
                    .authority = text_of(authorities),
                    .server = {text_of(served), pem_of(key.get())},
                    .not_after = end};
}

}  // namespace cmk::k8s
