// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace cmk::k8s {

/// What a server shows and asks for. Connections keep the one that they began with.
struct TlsContext {
    std::shared_ptr<ssl_ctx_st> context;
    std::int64_t not_after = 0;  ///< seconds since 1970 at which the certificate ends
};

/// PEM texts: the certificate with its chain, its key (unencrypted), and "" or the authorities
/// whose certificates clients may show. TLS 1.2 with forward secrecy and AEAD ciphers, or 1.3; no
/// resumption, which API servers do not use.
/// Errors: invalid_argument, saying which text is unusable or that the key is of another
/// certificate.
Result<TlsContext> make_tls_context(const std::string& certificate, const std::string& key,
                                    const std::string& client_authorities);

/// How far an operation on a TlsStream came.
enum class TlsStep {
    done,
    wants_read,   ///< again when the socket is readable
    wants_write,  ///< again when it is writable
    ended,        ///< the other side closed it, or broke the protocol
};

/// The server's end of a TLS connection over a non-blocking socket, which it does not own.
class TlsStream {
public:
    TlsStream(ssl_ctx_st& context, int socket);

    TlsStep handshake();
    /// Appends what is there to `into`, at most `max` bytes; done only if there was something.
    TlsStep read(std::string& into, std::size_t max);
    /// Writes from the front of `text` and takes off what was written; done when all was.
    TlsStep write(std::string_view& text);
    /// Says, without waiting, that nothing more will be written.
    void close_notify();
    /// Has the client shown a certificate of the authorities?
    bool is_client_verified() const;

private:
    TlsStep step_of(int result);

    std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
    bool broken_;
};

}  // namespace cmk::k8s
