// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>

#include "k8s/webhook/x509.h"

namespace cmk::k8s {

namespace {

constexpr char kCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// The error with OpenSSL's reason.
Error tls_error(const std::string& what) {
    return openssl_error(Errc::invalid_argument, what);
}

Result<std::int64_t> use_certificate(SSL_CTX& context, const std::string& text) {
    const Bio bio = reader_of(text);
    const Certificate leaf(PEM_read_bio_X509_AUX(bio.get(), nullptr, no_password, nullptr));
    if (!leaf || SSL_CTX_use_certificate(&context, leaf.get()) != 1) {
        return tls_error("the certificate is unusable");
    }
    while (const Certificate next{PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)}) {
        if (SSL_CTX_add1_chain_cert(&context, next.get()) != 1) {
            return tls_error("the certificate's chain is unusable");
        }
    }
    ERR_clear_error();
    return end_of(*leaf);
}

Status use_key(SSL_CTX& context, const std::string& text) {
    const Key key = private_key_in(text);
    if (!key) return tls_error("the key is unusable");
    if (SSL_CTX_use_PrivateKey(&context, key.get()) != 1 ||
        SSL_CTX_check_private_key(&context) != 1) {
        return tls_error("the key is not the certificate's");
    }
    return {};
}

/// A client without certificate is let in: kubelet's health probes show none.
Status trust_clients_of(SSL_CTX& context, const std::string& authorities) {
    if (authorities.empty()) return {};
    const auto trusted = certificates_in(authorities);
    if (trusted.empty()) return tls_error("the client authorities are unusable");
    X509_STORE* store = SSL_CTX_get_cert_store(&context);
    for (const Certificate& each : trusted) {
        if (X509_STORE_add_cert(store, each.get()) != 1 ||
            SSL_CTX_add_client_CA(&context, each.get()) != 1) {
            return tls_error("a client authority is unusable");
        }
    }
    SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, nullptr);
    return {};
}

/// Of what a client offers (Go's: h2, http/1.1) this server speaks one.
int choose_protocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void* /*data*/) noexcept {
    static constexpr unsigned char kHttp[] = "\x08http/1.1";
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, size, kHttp, sizeof kHttp - 1, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

void set_protocol(SSL_CTX& context) {
    SSL_CTX_set_options(&context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                      SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(&context, 0);
    SSL_CTX_set_mode(&context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                   SSL_MODE_RELEASE_BUFFERS);
    // One read for many records, and not two for each.
    SSL_CTX_set_read_ahead(&context, 1);
    SSL_CTX_set_alpn_select_cb(&context, choose_protocol, nullptr);
}

}  // namespace

Result<TlsContext> make_tls_context(const std::string& certificate, const std::string& key,
                                    const std::string& client_authorities) {
    const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    if (!context) return tls_error("OpenSSL");
    if (SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context.get(), kCiphers) != 1 ||
        SSL_CTX_set1_groups_list(context.get(), "X25519:P-256:P-384") != 1) {
        return tls_error("OpenSSL lacks the ciphers");
    }
    set_protocol(*context);
    CMK_TRY_ASSIGN(const std::int64_t not_after, use_certificate(*context, certificate));
    CMK_TRY(use_key(*context, key));
    CMK_TRY(trust_clients_of(*context, client_authorities));
    return TlsContext{context, not_after};
}

TlsStream::TlsStream(ssl_ctx_st& context, int socket)
    : ssl_(SSL_new(&context), SSL_free), broken_(!ssl_ || SSL_set_fd(ssl_.get(), socket) != 1) {
    if (!broken_) SSL_set_accept_state(ssl_.get());
}

TlsStep TlsStream::step_of(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_NONE: return TlsStep::done;
        case SSL_ERROR_WANT_READ: return TlsStep::wants_read;
        case SSL_ERROR_WANT_WRITE: return TlsStep::wants_write;
        case SSL_ERROR_ZERO_RETURN: return TlsStep::ended;
        default: broken_ = true; return TlsStep::ended;
    }
}

TlsStep TlsStream::handshake() {
    if (broken_) return TlsStep::ended;
    ERR_clear_error();
    return step_of(SSL_accept(ssl_.get()));
}

TlsStep TlsStream::read(std::string& into, std::size_t max) {
    char bytes[16384];
    if (broken_) return TlsStep::ended;
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_.get(), bytes, std::min(max, sizeof bytes), &count);
    if (result == 1) into.append(bytes, count);
    return step_of(result);
}

TlsStep TlsStream::write(std::string_view& text) {
    while (!text.empty()) {
        if (broken_) return TlsStep::ended;
        ERR_clear_error();
        std::size_t count = 0;
        const int result = SSL_write_ex(ssl_.get(), text.data(), text.size(), &count);
        if (result != 1) return step_of(result);
        text.remove_prefix(count);
    }
    return TlsStep::done;
}

void TlsStream::close_notify() {
    if (broken_ || SSL_is_init_finished(ssl_.get()) != 1) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
}

bool TlsStream::is_client_verified() const {
    const X509* shown = ssl_ ? SSL_get0_peer_certificate(ssl_.get()) : nullptr;
    return shown != nullptr && SSL_get_verify_result(ssl_.get()) == X509_V_OK;
}

}  // namespace cmk::k8s
