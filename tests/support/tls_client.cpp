// SPDX-License-Identifier: Apache-2.0
#include "support/tls_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace cmk::test {

namespace {

constexpr timeval kTimeout{10, 0};

SSL_CTX* shared_context() {
    static SSL_CTX* const context = [] {
        SSL_CTX* made = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
        // So that a test can offer what the server must refuse.
        SSL_CTX_set_security_level(made, 0);
        return made;
    }();
    return context;
}

}  // namespace

TlsClient::TlsClient(std::uint16_t port, bool blocking)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      ssl_(SSL_new(shared_context()), SSL_free) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &kTimeout, sizeof kTimeout);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &kTimeout, sizeof kTimeout);
    if (!blocking) ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
    if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
        errno != EINPROGRESS) {
        socket_.reset();
        return;
    }
    SSL_set_fd(ssl_.get(), socket_.get());
    SSL_set_connect_state(ssl_.get());
}

void TlsClient::use_certificate(const std::string& certificate, const std::string& key) {
    SSL_use_certificate_file(ssl_.get(), certificate.c_str(), SSL_FILETYPE_PEM);
    SSL_use_PrivateKey_file(ssl_.get(), key.c_str(), SSL_FILETYPE_PEM);
}

void TlsClient::limit_version(int version) {
    SSL_set_max_proto_version(ssl_.get(), version);
}

void TlsClient::offer_protocols() {
    static constexpr unsigned char kOffer[] = "\x02h2\x08http/1.1";
    SSL_set_alpn_protos(ssl_.get(), kOffer, sizeof kOffer - 1);
}

TlsClient::Step TlsClient::step_of(int result) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_NONE: return Step::done;
        case SSL_ERROR_WANT_READ: return Step::wants_read;
        case SSL_ERROR_WANT_WRITE: return Step::wants_write;
        default: return Step::ended;
    }
}

TlsClient::Step TlsClient::handshake() {
    if (!connected()) return Step::ended;
    ERR_clear_error();
    return step_of(SSL_do_handshake(ssl_.get()));
}

TlsClient::Step TlsClient::write(std::string_view& text) {
    ERR_clear_error();
    while (!text.empty()) {
        const int count = SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()));
        if (count <= 0) return step_of(count);
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return Step::done;
}

TlsClient::Step TlsClient::read(std::string& into) {
    std::array<char, 16384> bytes;
    ERR_clear_error();
    const int count = SSL_read(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (count > 0) into.append(bytes.data(), static_cast<std::size_t>(count));
    return step_of(count);
}

void TlsClient::send_raw(std::string_view bytes) const {
    (void)!::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

std::string TlsClient::ask(std::string_view request) {
    if (handshake() != Step::done) return "";
    if (write(request) != Step::done && request.empty()) return "";
    std::string answer;
    while (!is_whole_answer(answer)) {
        if (read(answer) != Step::done) break;
    }
    return answer;
}

std::string TlsClient::rest() {
    std::string text;
    while (read(text) == Step::done) {
    }
    return text;
}

bool TlsClient::is_closed_within(std::chrono::milliseconds time) {
    pollfd fd{socket_.get(), POLLIN, 0};
    if (::poll(&fd, 1, static_cast<int>(time.count())) <= 0) return false;
    std::array<char, 4096> bytes;
    ssize_t count = 1;
    while (count > 0 && ::poll(&fd, 1, static_cast<int>(time.count())) > 0)
        count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    return count <= 0;
}

std::string TlsClient::protocol() const {
    return SSL_get_version(ssl_.get());
}

std::string TlsClient::alpn() const {
    const unsigned char* text = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &text, &size);
    return {reinterpret_cast<const char*>(text), size};
}

std::string TlsClient::server_name() const {
    X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    std::array<char, 256> name{};
    if (certificate != nullptr) {
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                                  static_cast<int>(name.size()));
    }
    return name.data();
}

std::string post_request(std::string_view path, std::string_view body, bool keep_alive) {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + (keep_alive ? "" : "\r\nConnection: close") + "\r\n\r\n" +
           std::string(body);
}

bool is_whole_answer(std::string_view text) {
    const std::size_t head = text.find("\r\n\r\n");
    if (head == text.npos) return false;
    constexpr std::string_view kLength = "Content-Length: ";
    const std::size_t at = text.find(kLength);
    if (at == text.npos || at > head) return status_of(text) == 100;
    const auto length = std::strtoul(text.data() + at + kLength.size(), nullptr, 10);
    return text.size() >= head + 4 + length;
}

int status_of(std::string_view answer) {
    return answer.starts_with("HTTP/1.") && answer.size() > 12 ? std::atoi(answer.data() + 9) : 0;
}

std::string body_of(const std::string& answer) {
    const std::size_t head = answer.find("\r\n\r\n");
    return head == answer.npos ? "" : answer.substr(head + 4);
}

}  // namespace cmk::test
