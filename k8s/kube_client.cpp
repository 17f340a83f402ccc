// SPDX-License-Identifier: Apache-2.0
#include "k8s/kube_client.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netdb.h>

#include "base/text.h"
#include "k8s/tls.h"

namespace cmk::k8s {

namespace {

using std::chrono::seconds;

constexpr seconds kConnectPatience{5};
constexpr seconds kReadPatience{30};
constexpr seconds kWritePatience{10};
/// For a whole answer: one that comes byte by byte has no silence in it.
constexpr seconds kAnswerPatience{60};
constexpr std::size_t kMaxBody = 8U << 20;
constexpr std::size_t kMaxLine = 4U << 20;

/// What httplib keeps for a directory of certificates that has none. Without one it would add the
/// system's to the CA that was named.
constexpr char kNoDirectory[] = "/dev/null";

std::string resolve(const std::string& host) {
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, nullptr, &found) != 0) return "";
    char text[NI_MAXHOST] = "";
    const int failed = ::getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, nullptr,
                                     0, NI_NUMERICHOST);
    ::freeaddrinfo(found);
    return failed != 0 ? "" : text;
}

std::optional<seconds> retry_after(const httplib::Response& response) {
    const auto asked = parse_unsigned(response.get_header_value("Retry-After"), 86400);
    if (!asked) return std::nullopt;
    return seconds(*asked);
}

/// Cuts a stream into lines.
class Lines {
public:
    explicit Lines(const KubeClient::TakeLine* take) : take_(take) {}

    bool feed(std::string_view bytes) {
        for (std::size_t end = bytes.find('\n'); end != std::string_view::npos;
             end = bytes.find('\n')) {
            rest_.append(bytes.substr(0, end));
            bytes.remove_prefix(end + 1);
            const bool go_on = trim(rest_).empty() || (*take_)(rest_);
            rest_.clear();
            if (!go_on) return false;
        }
        rest_.append(bytes);
        return rest_.size() <= kMaxLine;
    }

private:
    const KubeClient::TakeLine* take_;
    std::string rest_;
};

}  // namespace

/// A request on its way.
struct KubeClient::Attempt {
    const Request& request;
    const TakeLine* take = nullptr;
    seconds idle = kReadPatience;

    bool reused = false;  ///< the connection had been used before
    bool ended_by_us = false;
    bool too_long = false;
    std::size_t received = 0;
    long verified = 0;
};

KubeClient::KubeClient(KubeConfig config, ExchangeObserver observe)
    : credentials_(std::move(config)), observe_(std::move(observe)) {}

KubeClient::~KubeClient() = default;

Status KubeClient::connect() {
    CMK_TRY_ASSIGN(CredentialTexts texts, credentials_.at(Clock::now()));
    const CredentialTexts old = std::exchange(texts_, texts);
    texts.token = old.token;  // goes into each request, not into the connection
    if (http_ && texts == old) return {};
    const KubeConfig& config = credentials_.config();
    const std::string& name = config.server_name.empty() ? config.host : config.server_name;
    auto http = std::make_unique<httplib::SSLClient>(name, config.port);
    if (name != config.host) http->set_hostname_addr_map({{name, resolve(config.host)}});
    http_.reset();
    CMK_TRY(prepare_tls(http->ssl_context(), texts_, name));
    if (!texts_.ca.empty()) http->set_ca_cert_path("", kNoDirectory);
    http->enable_server_certificate_verification(!config.insecure);
    http->set_connection_timeout(kConnectPatience);
    http->set_write_timeout(kWritePatience);
    http->set_keep_alive(true);
    http->set_tcp_nodelay(true);
    http->set_url_encode(false);
    http_ = std::move(http);
    return {};
}

Error KubeClient::failure(const Attempt& attempt, int code) const {
    const KubeConfig& config = credentials_.config();
    const auto error = static_cast<httplib::Error>(code);
    std::string why = httplib::to_string(error);
    if (attempt.too_long) {
        why = "the answer is too long or too slow";
    } else if (error == httplib::Error::Connection) {
        why = "cannot connect; is the server's address right, and does it serve?";
    } else if (error == httplib::Error::Read) {
        why = attempt.received > 0 ? "the answer broke off" : "there was no answer";
    } else if (attempt.verified != 0) {  // newer versions of httplib have an error more for it
        why = "the server's certificate is not the one expected (" +
              verification_text(attempt.verified) +
              "); check certificate-authority and server of the kubeconfig";
    }
    return make_error(
        Errc::unavailable,
        attempt.request.method + " https://" + config.host + ":" + std::to_string(config.port) +
            attempt.request.path.substr(0, attempt.request.path.find('?')) + ": " + why);
}

Result<Answer> KubeClient::try_once(Attempt& attempt) {
    CMK_TRY(connect());
    Answer answer;
    Lines lines(attempt.take);
    const auto begin = Clock::now();
    httplib::Request http;
    http.method = attempt.request.method;
    http.path = credentials_.config().base_path + attempt.request.path;
    http.body = attempt.request.body;
    http.headers = {{"Accept", attempt.request.metadata_only
                                   ? "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,"
                                     "application/json"
                                   : "application/json"},
                    {"Accept-Encoding", "identity"},
                    {"User-Agent", "cmk-k8s/" CMK_VERSION}};
    if (!http.body.empty()) http.headers.emplace("Content-Type", attempt.request.content_type);
    if (!texts_.token.empty()) http.headers.emplace("Authorization", "Bearer " + texts_.token);
    http.response_handler = [&](const httplib::Response& response) {
        answer.status = response.status;
        answer.retry_after = retry_after(response);
        return true;
    };
    http.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
        attempt.received += size;
        if (attempt.take != nullptr && answer.ok()) {
            attempt.ended_by_us = !lines.feed({data, size});
            return !attempt.ended_by_us;
        }
        answer.body.append(data, size);
        attempt.too_long = answer.body.size() > kMaxBody || Clock::now() - begin > kAnswerPatience;
        return !attempt.too_long;
    };
    http_->set_read_timeout(attempt.idle);
    attempt.reused = http_->is_socket_open() != 0;
    const auto result = http_->send(http);
    attempt.verified = http_->get_openssl_verify_result();
    if (observe_) {
        observe_({.method = attempt.take != nullptr ? "WATCH" : http.method,
                  .status = answer.status,
                  .sent = http.body.size(),
                  .received = attempt.received,
                  .took = Clock::now() - begin});
    }
    if (result || attempt.ended_by_us) return answer;
    return failure(attempt, static_cast<int>(result.error()));
}

/// Once more where that can help: a kept connection may have been closed from the other side, and
/// credentials or CA may just have been replaced.
Result<Answer> KubeClient::try_twice(Attempt& attempt) {
    auto answer = try_once(attempt);
    const bool refused = answer ? answer->status == 401 : attempt.verified != 0;
    if (refused) {
        const CredentialTexts before = texts_;
        credentials_.expire();
        CMK_TRY_ASSIGN(const CredentialTexts now, credentials_.at(Clock::now()));
        if (now == before) return answer;
    } else if (answer || !attempt.reused || attempt.received > 0) {
        return answer;
    }
    return try_once(attempt);
}

Result<Answer> KubeClient::send(const Request& request) {
    Attempt attempt{.request = request};
    try {
        return try_twice(attempt);
    } catch (const std::exception& problem) {
        return make_error(Errc::internal,
                          request.method + " " + request.path + ": " + problem.what());
    }
}

Result<Answer> KubeClient::watch(const Request& request, std::chrono::seconds idle,
                                 const TakeLine& take) {
    Attempt attempt{.request = request, .take = &take, .idle = idle};
    try {
        return try_twice(attempt);
    } catch (const std::exception& problem) {
        return make_error(Errc::internal, "watch " + request.path + ": " + problem.what());
    }
}

}  // namespace cmk::k8s
