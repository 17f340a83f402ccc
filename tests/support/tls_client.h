// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

struct ssl_st;

namespace cmk::test {

/// A client's end of a TLS connection to 127.0.0.1, which trusts whatever it is shown. Blocking,
/// with a timeout, unless it is told otherwise.
class TlsClient {
public:
    enum class Step { done, wants_read, wants_write, ended };

    /// TCP only. Without success the client is not connected().
    explicit TlsClient(std::uint16_t port, bool blocking = true);
    /// Shows this certificate (PEM files) in the handshake.
    void use_certificate(const std::string& certificate, const std::string& key);
    /// Offers nothing above this version (TLS1_1_VERSION and so on).
    void limit_version(int version);
    /// "h2,http/1.1" as ALPN.
    void offer_protocols();

    bool connected() const { return socket_.get() >= 0; }
    int socket() const { return socket_.get(); }
    Step handshake();
    Step write(std::string_view& text);
    Step read(std::string& into);
    /// Plain bytes around TLS.
    void send_raw(std::string_view bytes) const;

    /// Handshake where it is still to do, then the request, then one whole answer ("" if it does
    /// not come).
    std::string ask(std::string_view request);
    /// What comes until the server closes, or nothing does for the timeout.
    std::string rest();
    /// Did the server close within the time?
    bool is_closed_within(std::chrono::milliseconds time);
    std::string protocol() const;     ///< "TLSv1.3"
    std::string alpn() const;         ///< "http/1.1", "" for none
    std::string server_name() const;  ///< the certificate's common name

private:
    Step step_of(int result);

    UniqueFd socket_;
    std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
};

/// A POST of JSON to the path.
std::string post_request(std::string_view path, std::string_view body, bool keep_alive = true);
/// Is the text a whole HTTP answer by its Content-Length?
bool is_whole_answer(std::string_view text);
/// The status of an HTTP answer; 0 for none.
int status_of(std::string_view answer);
std::string body_of(const std::string& answer);

}  // namespace cmk::test
