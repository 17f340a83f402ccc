// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/unique_fd.h"
#include "k8s/webhook/body_budget.h"
#include "k8s/webhook/http_request.h"
#include "k8s/webhook/tls.h"

namespace cmk::k8s {

using SteadyTime = std::chrono::steady_clock::time_point;

/// What a handler is asked.
struct HttpRequest {
    const HttpHead& head;
    std::string_view body;
    bool client_verified = false;  ///< showed a certificate of the client authorities
};

struct HttpAnswer {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body = {};
    std::string extra_headers = {};  ///< each ending in CRLF
};

/// Called by several threads at once; must not throw.
using HttpHandler = std::function<HttpAnswer(const HttpRequest&)>;

/// How long a client may take; where a client is slow, only its own connection waits.
struct HttpTimeouts {
    std::chrono::milliseconds handshake = std::chrono::seconds(5);
    std::chrono::milliseconds request = std::chrono::seconds(10);  ///< first byte to last
    std::chrono::milliseconds answer = std::chrono::seconds(10);
    /// API servers close their idle connections after 90 s; whoever closes first can lose a request
    /// that the other is just sending.
    std::chrono::milliseconds idle = std::chrono::seconds(120);
    std::chrono::milliseconds linger = std::chrono::seconds(2);
};

/// What all connections of a server share.
struct HttpEnvironment {
    HttpHandler handler;
    HttpTimeouts timeouts = {};
    std::shared_ptr<BodyBudget> budget = {};
};

/// One client: handshake, then requests one after another. Never blocks.
class HttpsConnection {
public:
    enum class Wants { read, write, close };

    HttpsConnection(UniqueFd socket, std::shared_ptr<ssl_ctx_st> context,
                    const HttpEnvironment& environment, SteadyTime now);
    ~HttpsConnection();
    HttpsConnection(const HttpsConnection&) = delete;
    HttpsConnection& operator=(const HttpsConnection&) = delete;

    int socket() const { return socket_.get(); }
    /// Goes on as far as the client lets it.
    Wants advance(SteadyTime now);
    /// The deadline has passed: answers 408 to half a request, closes otherwise.
    Wants expire(SteadyTime now);
    /// Answers what has been asked, then closes; for the end of the server.
    Wants finish(SteadyTime now);

    SteadyTime deadline() const { return deadline_; }
    /// Since when no request has been completed.
    SteadyTime unused_since() const { return unused_since_; }
    bool is_busy() const { return state_ == State::answering; }

private:
    enum class State { handshaking, reading, answering, lingering, closed };

    Wants run(SteadyTime now);
    TlsStep step(SteadyTime now);
    TlsStep shake(SteadyTime now);
    TlsStep read_more(SteadyTime now);
    bool take_request(SteadyTime now);
    bool reserve_body(const HttpHead& head, SteadyTime now);
    void answer(const HttpHead& head, SteadyTime now);
    void send_problem(int status, const std::string& reason, SteadyTime now);
    void send(std::string text, bool close, SteadyTime now);
    void after_answer(SteadyTime now);
    TlsStep linger();
    void release_body();

    UniqueFd socket_;
    std::shared_ptr<ssl_ctx_st> context_;
    const HttpEnvironment& environment_;
    TlsStream tls_;
    State state_ = State::handshaking;
    SteadyTime deadline_;
    SteadyTime unused_since_;
    std::string in_;
    std::size_t wanted_ = 0;    ///< bytes of in_ before it is worth looking at again
    std::size_t reserved_ = 0;  ///< of the budget
    std::string out_;
    std::size_t out_done_ = 0;
    bool continued_ = false;  ///< 100 Continue was sent for this request
    bool unread_ = false;     ///< the client may still be sending what will not be read
    bool close_after_ = false;
    bool finishing_ = false;
};

}  // namespace cmk::k8s
