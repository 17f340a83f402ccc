// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/certificates.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/text.h"
#include "k8s/webhook/x509.h"

namespace cmk::k8s {

namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kClockSkew = 300;
constexpr int kAuthorityDays = kCertificateDays + 3;
constexpr long kVersion3 = 2;
constexpr char kAuthorityName[] = "cmk-webhook-ca";

using Extension = Handle<X509_EXTENSION, X509_EXTENSION_free>;
using Number = Handle<BIGNUM, BN_free>;

bool set_serial(X509* certificate) {
    const Number number(BN_new());
    return number && BN_rand(number.get(), 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_name(X509* certificate, const std::string& common_name) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(common_name.data());
    return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                      bytes, static_cast<int>(common_name.size()), -1, 0) == 1;
}

struct ExtensionText {
    int kind;
    std::string value;
};

bool add_extensions(X509* certificate, X509* issuer, const std::vector<ExtensionText>& texts) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    return std::all_of(texts.begin(), texts.end(), [&](const ExtensionText& text) {
        const Extension made(X509V3_EXT_conf_nid(nullptr, &context, text.kind, text.value.c_str()));
        return made && X509_add_ext(certificate, made.get(), -1) == 1;
    });
}

/// A certificate without extensions and signature.
Result<Certificate> begin(const std::string& common_name, EVP_PKEY* key, std::int64_t now,
                          int days) {
    Certificate certificate(X509_new());
    const auto from = static_cast<time_t>(now - kClockSkew);
    const auto until = static_cast<time_t>(now + days * kDay);
    if (!certificate || X509_set_version(certificate.get(), kVersion3) != 1 ||
        !set_serial(certificate.get()) || !set_name(certificate.get(), common_name) ||
        ASN1_TIME_set(X509_getm_notBefore(certificate.get()), from) == nullptr ||
        ASN1_TIME_set(X509_getm_notAfter(certificate.get()), until) == nullptr ||
        X509_set_pubkey(certificate.get(), key) != 1) {
        return openssl_error(Errc::internal, "cannot make a certificate");
    }
    return certificate;
}

Status finish(X509* certificate, X509* issuer, EVP_PKEY* issuer_key,
              const std::vector<ExtensionText>& extensions) {
    if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1 ||
        !add_extensions(certificate, issuer, extensions) ||
        X509_sign(certificate, issuer_key, EVP_sha256()) == 0) {
        return openssl_error(Errc::internal, "cannot sign a certificate");
    }
    return {};
}

Result<Key> make_key() {
    Key key(EVP_EC_gen("P-256"));
    if (!key) return openssl_error(Errc::internal, "cannot make a key");
    return key;
}

bool is_dns_name(const std::string& name) {
    return !name.empty() && name.size() <= 253 && name[0] != '.' && name[0] != '-' &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == name.npos;
}

Result<std::string> alternative_names(const std::vector<std::string>& names) {
    std::vector<std::string> entries;
    for (const std::string& name : names) {
        if (!is_dns_name(name)) {
            return make_error(Errc::invalid_argument, quote(name) + " is no DNS name");
        }
        entries.push_back("DNS:" + name);
    }
    if (entries.empty()) return make_error(Errc::invalid_argument, "a DNS name is needed");
    return join(entries, ",");
}

/// The longest common name that X.509 allows is 64 bytes; clients read the alternative names.
std::string common_name_of(const std::string& name) {
    return name.substr(0, 64);
}

}  // namespace

Result<KeyPair> make_authority(const std::string& common_name, std::int64_t now) {
    CMK_TRY_ASSIGN(const Key key, make_key());
    CMK_TRY_ASSIGN(const Certificate certificate,
                   begin(common_name, key.get(), now, kAuthorityDays));
    CMK_TRY(finish(certificate.get(), certificate.get(), key.get(),
                   {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                    {NID_key_usage, "critical,keyCertSign"},
                    {NID_subject_key_identifier, "hash"}}));
    return KeyPair{pem_of(certificate.get()), pem_of(key.get())};
}

Result<KeyPair> issue_certificate(const KeyPair& authority, const std::vector<std::string>& names,
                                  std::int64_t now) {
    CMK_TRY_ASSIGN(const std::string alternatives, alternative_names(names));
    const auto issuers = certificates_in(authority.certificate);
    const Key issuer_key = private_key_in(authority.key);
    if (issuers.empty() || !issuer_key ||
        X509_check_private_key(issuers[0].get(), issuer_key.get()) != 1) {
        return openssl_error(Errc::invalid_argument, "the authority is unusable");
    }
    CMK_TRY_ASSIGN(const Key key, make_key());
    CMK_TRY_ASSIGN(const Certificate certificate,
                   begin(common_name_of(names[0]), key.get(), now, kCertificateDays));
    CMK_TRY(finish(certificate.get(), issuers[0].get(), issuer_key.get(),
                   {{NID_basic_constraints, "critical,CA:FALSE"},
                    {NID_key_usage, "critical,digitalSignature"},
                    {NID_ext_key_usage, "serverAuth"},
                    {NID_authority_key_identifier, "keyid:always"},
                    {NID_subject_alt_name, alternatives}}));
    return KeyPair{pem_of(certificate.get()), pem_of(key.get())};
}

std::string authorities_in_use(const std::string& bundle, const std::string& certificate) {
    std::string kept;
    const auto served = certificates_in(certificate);
    for (const Certificate& authority : certificates_in(bundle)) {
        EVP_PKEY* key = X509_get0_pubkey(authority.get());
        if (key == nullptr) continue;
        const bool is_used =
            std::any_of(served.begin(), served.end(),
                        [&](const Certificate& each) { return X509_verify(each.get(), key) == 1; });
        if (is_used) kept += pem_of(authority.get());
    }
    ERR_clear_error();
    return kept;
}

Result<Rotation> rotate_certificates(const std::string& old_bundle,
                                     const std::string& old_certificate,
                                     const std::vector<std::string>& names, std::int64_t now) {
    CMK_TRY_ASSIGN(const KeyPair authority, make_authority(kAuthorityName, now));
    CMK_TRY_ASSIGN(KeyPair server, issue_certificate(authority, names, now));
    return Rotation{
        .ca_bundle = authorities_in_use(old_bundle, old_certificate) + authority.certificate,
        .authority = authority.certificate,
        .server = std::move(server),
        .not_after = now + kCertificateDays * kDay};
}

std::vector<std::string> service_names(const std::string& service, const std::string& name_space) {
    const std::string name = service + "." + name_space + ".svc";
    return {name, name + ".cluster.local"};
}

}  // namespace cmk::k8s
