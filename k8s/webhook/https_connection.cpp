// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/https_connection.h"

#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace cmk::k8s {

namespace {

/// Bodies up to this size are not counted against the budget.
constexpr std::size_t kSmallBody = 64U << 10;
/// Steps before other connections get their turn.
constexpr int kMaxSteps = 64;
constexpr std::size_t kReadSize = 16U << 10;

void release_memory(std::string& text) {
    if (text.empty() && text.capacity() > kSmallBody) text.shrink_to_fit();
}

}  // namespace

HttpsConnection::HttpsConnection(UniqueFd socket, std::shared_ptr<ssl_ctx_st> context,
                                 const HttpEnvironment& environment, SteadyTime now)
    : socket_(std::move(socket)),
      context_(std::move(context)),
      environment_(environment),
      tls_(*context_, socket_.get()),
      deadline_(now + environment.timeouts.handshake),
      unused_since_(now) {}

HttpsConnection::~HttpsConnection() {
    release_body();
}

HttpsConnection::Wants HttpsConnection::advance(SteadyTime now) {
    return run(now);
}

HttpsConnection::Wants HttpsConnection::run(SteadyTime now) {
    for (int i = 0; i < kMaxSteps; ++i) {
        switch (step(now)) {
            case TlsStep::done: break;
            case TlsStep::wants_read: return Wants::read;
            case TlsStep::wants_write: return Wants::write;
            case TlsStep::ended: state_ = State::closed; return Wants::close;
        }
    }
    // A socket is almost always writable, so this comes back after the others had their turn, even
    // when all that is left to read lies decrypted in the TLS library.
    return Wants::write;
}

TlsStep HttpsConnection::step(SteadyTime now) {
    switch (state_) {
        case State::handshaking: return shake(now);
        case State::reading: return take_request(now) ? TlsStep::done : read_more(now);
        case State::answering: {
            std::string_view rest = std::string_view(out_).substr(out_done_);
            const TlsStep written = tls_.write(rest);
            out_done_ = out_.size() - rest.size();
            if (written == TlsStep::done) after_answer(now);
            return written;
        }
        case State::lingering: return linger();
        case State::closed: break;
    }
    return TlsStep::ended;
}

TlsStep HttpsConnection::shake(SteadyTime now) {
    const TlsStep made = tls_.handshake();
    if (made != TlsStep::done) return made;
    state_ = State::reading;
    deadline_ = now + environment_.timeouts.idle;
    // A client that waits for its last segment to be acknowledged before it sends the request
    // (Nagle's algorithm) would wait 40 ms for that, as there is nothing to answer yet.
    const int one = 1;
    if (read_more(now) == TlsStep::wants_read) {
        ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_QUICKACK, &one, sizeof one);
    }
    return TlsStep::done;
}

TlsStep HttpsConnection::read_more(SteadyTime now) {
    const bool was_idle = in_.empty();
    const TlsStep read = tls_.read(in_, kReadSize);
    if (read == TlsStep::done && was_idle) deadline_ = now + environment_.timeouts.request;
    return read;
}

/// True when there is something to send: the answer, or the leave to send the body.
bool HttpsConnection::take_request(SteadyTime now) {
    if (in_.empty() || in_.size() < wanted_) return false;
    const HttpParsed parsed = parse_http_head(in_);
    if (std::holds_alternative<HttpIncomplete>(parsed)) return false;
    if (const auto* problem = std::get_if<HttpProblem>(&parsed)) {
        send_problem(problem->status, problem->reason, now);
        return true;
    }
    const auto& head = std::get<HttpHead>(parsed);
    if (head.method == "POST" && !head.has_length) {
        send_problem(411, "send a Content-Length", now);
        return true;
    }
    wanted_ = head.head_size + head.body_size;
    if (in_.size() >= wanted_) {
        answer(head, now);
        return true;
    }
    return reserve_body(head, now);
}

/// The body has still to come: makes sure that there may be one. True when that is to be said.
bool HttpsConnection::reserve_body(const HttpHead& head, SteadyTime now) {
    if (head.body_size > kSmallBody && reserved_ == 0) {
        if (!environment_.budget->take(head.body_size)) {
            send_problem(503, "too many large requests at once", now);
            return true;
        }
        reserved_ = head.body_size;
    }
    if (!head.expects_continue || continued_) return false;
    continued_ = true;
    send("HTTP/1.1 100 Continue\r\n\r\n", false, now);
    return true;
}

void HttpsConnection::answer(const HttpHead& head, SteadyTime now) {
    const std::string_view body = std::string_view(in_).substr(head.head_size, head.body_size);
    const HttpAnswer made = environment_.handler({head, body, tls_.is_client_verified()});
    const bool keep = head.keep_alive && !finishing_;
    std::string text =
        format_http_answer(made.status, made.content_type, made.body, keep, made.extra_headers);
    if (head.method == "HEAD") text.resize(text.size() - made.body.size());
    in_.erase(0, wanted_);
    wanted_ = 0;
    continued_ = false;
    release_memory(in_);
    const bool was_large = reserved_ > 0;
    release_body();
    unused_since_ = now;
    send(std::move(text), !keep, now);
    // A large review unfolds to some thirty times its size, which would stay with the allocator.
    if (was_large) ::malloc_trim(0);
}

void HttpsConnection::send_problem(int status, const std::string& reason, SteadyTime now) {
    unread_ = true;
    send(format_http_answer(status, "text/plain; charset=utf-8", reason + "\n", false), true, now);
}

void HttpsConnection::send(std::string text, bool close, SteadyTime now) {
    out_ = std::move(text);
    out_done_ = 0;
    close_after_ = close;
    state_ = State::answering;
    deadline_ = now + environment_.timeouts.answer;
}

void HttpsConnection::after_answer(SteadyTime now) {
    out_.clear();
    release_memory(out_);
    if (close_after_) {
        tls_.close_notify();
        if (!unread_) {
            state_ = State::closed;
            return;
        }
        // Closing at once would make the kernel drop the answer, as a body is still coming in.
        ::shutdown(socket_.get(), SHUT_WR);
        in_.clear();
        state_ = State::lingering;
        deadline_ = now + environment_.timeouts.linger;
        return;
    }
    state_ = State::reading;
    const auto& timeouts = environment_.timeouts;
    deadline_ = now + (in_.empty() ? timeouts.idle : timeouts.request);
}

TlsStep HttpsConnection::linger() {
    char bytes[kReadSize];
    const ssize_t count = ::recv(socket_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (count > 0) return TlsStep::done;
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? TlsStep::wants_read : TlsStep::ended;
}

HttpsConnection::Wants HttpsConnection::expire(SteadyTime now) {
    if (state_ == State::reading && !in_.empty()) {
        send_problem(408, "the request took too long", now);
        return run(now);
    }
    if (state_ == State::reading) tls_.close_notify();
    state_ = State::closed;
    return Wants::close;
}

HttpsConnection::Wants HttpsConnection::finish(SteadyTime now) {
    finishing_ = true;
    if (state_ == State::reading && in_.empty()) return expire(now);
    return run(now);
}

void HttpsConnection::release_body() {
    if (reserved_ > 0) environment_.budget->give_back(reserved_);
    reserved_ = 0;
}

}  // namespace cmk::k8s
