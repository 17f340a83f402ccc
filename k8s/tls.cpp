// SPDX-License-Identifier: Apache-2.0
#include "k8s/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "base/handle.h"

namespace cmk::k8s {

namespace {

using Bio = Handle<BIO, BIO_free_all>;
using Certificate = Handle<X509, X509_free>;
using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using Store = Handle<X509_STORE, X509_STORE_free>;

Bio bio_of(const std::string& text) {
    return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Error bad(const std::string& what) {
    ERR_clear_error();
    return make_error(Errc::invalid_argument, what);
}

Certificate next_certificate(const Bio& bio) {
    Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    ERR_clear_error();  // the end of the text counts as an error
    return certificate;
}

/// The context then trusts these and no others.
Status trust(SSL_CTX* context, const std::string& ca) {
    Store store(X509_STORE_new());
    const Bio bio = bio_of(ca);
    unsigned count = 0;
    while (const Certificate certificate = next_certificate(bio)) {
        if (X509_STORE_add_cert(store.get(), certificate.get()) == 1) ++count;
    }
    if (count == 0) return bad("the CA has no PEM certificate");
    SSL_CTX_set_cert_store(context, store.release());
    return {};
}

Status identify(SSL_CTX* context, const CredentialTexts& texts) {
    const Bio certificates = bio_of(texts.certificate);
    const Certificate own = next_certificate(certificates);
    if (!own || SSL_CTX_use_certificate(context, own.get()) != 1) {
        return bad("the client certificate is no PEM certificate");
    }
    while (Certificate issuer = next_certificate(certificates)) {
        if (SSL_CTX_add_extra_chain_cert(context, issuer.get()) == 1) (void)issuer.release();
    }
    const Key key(PEM_read_bio_PrivateKey(bio_of(texts.key).get(), nullptr, nullptr, nullptr));
    if (!key) return bad("the client key is no PEM key");
    if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        return bad("the client key does not belong to the client certificate");
    }
    return {};
}

bool is_address(const std::string& name) {
    in6_addr address{};
    return ::inet_pton(AF_INET, name.c_str(), &address) == 1 ||
           ::inet_pton(AF_INET6, name.c_str(), &address) == 1;
}

}  // namespace

Status prepare_tls(SSL_CTX* context, const CredentialTexts& texts, const std::string& name) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    if (!texts.ca.empty()) CMK_TRY(trust(context, texts.ca));
    if (!texts.certificate.empty()) CMK_TRY(identify(context, texts));
    X509_VERIFY_PARAM* verify = SSL_CTX_get0_param(context);
    const int set = is_address(name)
                        ? X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str())
                        : X509_VERIFY_PARAM_set1_host(verify, name.c_str(), name.size());
    if (set != 1) return bad("the server's name " + name + " cannot be verified");
    return {};
}

std::string verification_text(long result) {
    return X509_verify_cert_error_string(result);
}

}  // namespace cmk::k8s
