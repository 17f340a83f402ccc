// SPDX-License-Identifier: Apache-2.0
// The HTTPS server with real sockets and clients that misbehave.
#include "k8s/webhook/https_server.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <signal.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "k8s/webhook/certificates.h"
#include "support/tls_client.h"

namespace cmk::k8s {
namespace {

using namespace std::chrono_literals;
using test::TlsClient;

KeyPair certificate(const std::string& name) {
    static const KeyPair authority = *make_authority("ca", std::time(nullptr));
    return *issue_certificate(authority, {name}, std::time(nullptr));
}

TlsContext context_of(const KeyPair& pair, const std::string& clients = "") {
    auto context = make_tls_context(pair.certificate, pair.key, clients);
    EXPECT_TRUE(context) << context.error().message;
    return context ? *context : TlsContext{};
}

/// Says what it was asked.
HttpAnswer echo(const HttpRequest& request) {
    if (request.head.target == "/large") return {.body = std::string(4'000'000, 'x')};
    return {.body = request.head.method + " " + request.head.target + " " +
                    std::to_string(request.body.size()) +
                    (request.client_verified ? " verified" : "")};
}

class WebhookServer : public testing::Test {
protected:
    WebhookServer() {
        ::signal(SIGPIPE, SIG_IGN);
        options_.address = "127.0.0.1";
        options_.port = 0;
    }

    void start(const std::string& clients = "") {
        auto server = HttpsServer::start(options_, echo, context_of(certificate("first"), clients));
        ASSERT_TRUE(server) << server.error().message;
        server_ = *std::move(server);
    }

    std::string ask(const std::string& request) const {
        return TlsClient(server_->port()).ask(request);
    }

    /// How long a request of somebody else takes.
    std::chrono::milliseconds time_of_another() const {
        const auto begin = std::chrono::steady_clock::now();
        EXPECT_EQ(test::status_of(ask(test::post_request("/x", "{}"))), 200);
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - begin);
    }

    HttpsOptions options_;
    std::unique_ptr<HttpsServer> server_;
};

TEST_F(WebhookServer, AnswersOneRequestAfterAnother) {
    start();
    TlsClient client(server_->port());
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(test::body_of(client.ask(test::post_request("/mutate", "{}"))), "POST /mutate 2");
    EXPECT_EQ(server_->connections(), 1U);
    EXPECT_EQ(test::body_of(client.ask(test::post_request("/a", "", false))), "POST /a 0");
    EXPECT_TRUE(client.is_closed_within(1s));
}

TEST_F(WebhookServer, RequestsMayComeTogetherOrInPieces) {
    start();
    TlsClient client(server_->port());
    const std::string one = test::post_request("/a", "{}");
    EXPECT_EQ(test::status_of(client.ask(one + one + test::post_request("/b", "xyz", false))), 200);
    EXPECT_NE(client.rest().find("POST /b 3"), std::string::npos);
    TlsClient slow(server_->port());
    ASSERT_EQ(slow.handshake(), TlsClient::Step::done);
    for (const char byte : one) {
        std::string_view piece(&byte, 1);
        ASSERT_EQ(slow.write(piece), TlsClient::Step::done);
    }
    std::string answer;
    while (!test::is_whole_answer(answer) && slow.read(answer) == TlsClient::Step::done) {
    }
    EXPECT_EQ(test::body_of(answer), "POST /a 2");
}

TEST_F(WebhookServer, LargeBodiesAndAnswers) {
    start();
    EXPECT_EQ(test::body_of(ask(test::post_request("/a", std::string(3'000'000, 'x')))),
              "POST /a 3000000");
    EXPECT_EQ(test::body_of(ask(test::post_request("/large", ""))).size(), 4'000'000U);
}

TEST_F(WebhookServer, BadRequestsGetTheirStatusAndTheConnectionEnds) {
    start();
    const std::pair<std::string, int> cases[] = {
        {"GARBAGE\r\n\r\n", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\n\r\n", 411},
        {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
        {"GET /a HTTP/3\r\n\r\n", 505},
        {"GET /a HTTP/1.1\r\nA: " + std::string(20000, 'a') + "\r\n\r\n", 431},
        {test::post_request("/a", std::string(4'000'000, 'x')), 413},
    };
    for (const auto& [request, status] : cases) {
        TlsClient client(server_->port());
        EXPECT_EQ(test::status_of(client.ask(request)), status) << request.substr(0, 60);
        EXPECT_TRUE(client.is_closed_within(3s)) << status;
    }
}

TEST_F(WebhookServer, ContinueIsSaidOnceBeforeTheBody) {
    start();
    TlsClient client(server_->port());
    const std::string head =
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
    EXPECT_EQ(client.ask(head), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(test::body_of(client.ask("abc")), "POST /a 3");
    EXPECT_EQ(test::body_of(client.ask(test::post_request("/b", ""))), "POST /b 0");
}

TEST_F(WebhookServer, HeadHasNoBody) {
    start();
    TlsClient client(server_->port());
    ASSERT_EQ(client.handshake(), TlsClient::Step::done);
    std::string_view request = "HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    client.write(request);
    EXPECT_TRUE(client.rest().ends_with("\r\n\r\n"));
}

TEST_F(WebhookServer, TlsIsAtLeast12AndHttp11) {
    start();
    TlsClient old(server_->port());
    old.limit_version(TLS1_1_VERSION);
    EXPECT_NE(old.handshake(), TlsClient::Step::done);
    TlsClient still(server_->port());
    still.limit_version(TLS1_2_VERSION);
    EXPECT_EQ(test::status_of(still.ask(test::post_request("/a", ""))), 200);
    EXPECT_EQ(still.protocol(), "TLSv1.2");
    TlsClient modern(server_->port());
    modern.offer_protocols();
    EXPECT_EQ(test::status_of(modern.ask(test::post_request("/a", ""))), 200);
    EXPECT_EQ(modern.protocol(), "TLSv1.3");
    EXPECT_EQ(modern.alpn(), "http/1.1");
}

TEST_F(WebhookServer, ClientsThatAreNoTlsAreDropped) {
    start();
    TlsClient client(server_->port());
    client.send_raw("GET / HTTP/1.1\r\n\r\n");
    EXPECT_TRUE(client.is_closed_within(2s));
}

TEST_F(WebhookServer, SilentAndSlowClientsDelayNobody) {
    options_.workers = 1;
    start();
    std::vector<std::unique_ptr<TlsClient>> others;
    for (int i = 0; i < 60; ++i) {
        others.push_back(std::make_unique<TlsClient>(server_->port()));
        if (i % 3 == 0) continue;
        ASSERT_EQ(others.back()->handshake(), TlsClient::Step::done);
        std::string_view part = "POST /a HTTP/1.1\r\nHost";
        if (i % 3 == 1) others.back()->write(part);
    }
    std::string_view reads_nothing = "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    others.back()->write(reads_nothing);
    for (int i = 0; i < 10; ++i)
        EXPECT_LT(time_of_another(), 1000ms);
    EXPECT_GE(server_->connections(), 60U);
}

TEST_F(WebhookServer, EachDeadlineEndsItsConnection) {
    options_.timeouts = {
        .handshake = 100ms, .request = 200ms, .answer = 300ms, .idle = 400ms, .linger = 100ms};
    start();
    TlsClient silent(server_->port());
    EXPECT_TRUE(silent.is_closed_within(2s));
    TlsClient slow(server_->port());
    EXPECT_EQ(test::status_of(slow.ask("POST /a HTTP/1.1\r\nHos")), 408);
    TlsClient no_body(server_->port());
    EXPECT_EQ(
        test::status_of(no_body.ask("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na")),
        408);
    TlsClient deaf(server_->port());
    ASSERT_EQ(deaf.handshake(), TlsClient::Step::done);
    std::string_view request = "POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    deaf.write(request);
    TlsClient idle(server_->port());
    EXPECT_EQ(test::status_of(idle.ask(test::post_request("/a", ""))), 200);
    EXPECT_TRUE(idle.is_closed_within(2s));
    for (int i = 0; i < 100 && server_->connections() > 0; ++i)
        std::this_thread::sleep_for(20ms);
    EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(WebhookServer, WhenFullTheLongestUnusedGoes) {
    options_.workers = 1;
    options_.connections = 3;
    start();
    TlsClient used(server_->port());
    EXPECT_EQ(test::status_of(used.ask(test::post_request("/a", ""))), 200);
    TlsClient first(server_->port());
    ASSERT_EQ(first.handshake(), TlsClient::Step::done);
    // So that the server does not take both in one go.
    std::this_thread::sleep_for(20ms);
    TlsClient second(server_->port());
    ASSERT_EQ(second.handshake(), TlsClient::Step::done);
    EXPECT_EQ(test::status_of(used.ask(test::post_request("/a", ""))), 200);
    EXPECT_LT(time_of_another(), 1000ms);
    EXPECT_TRUE(first.is_closed_within(1s));
    EXPECT_EQ(test::status_of(used.ask(test::post_request("/a", ""))), 200);
}

TEST_F(WebhookServer, ANewCertificateIsForNewConnections) {
    start();
    TlsClient before(server_->port());
    EXPECT_EQ(test::status_of(before.ask(test::post_request("/a", ""))), 200);
    server_->set_context(context_of(certificate("second")));
    EXPECT_EQ(test::status_of(before.ask(test::post_request("/a", ""))), 200);
    EXPECT_EQ(before.server_name(), "first");
    TlsClient after(server_->port());
    EXPECT_EQ(test::status_of(after.ask(test::post_request("/a", ""))), 200);
    EXPECT_EQ(after.server_name(), "second");
}

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(WebhookServer, ClientCertificatesAreVerified) {
    const std::string directory = testing::TempDir() + "cmk-webhook-" + std::to_string(::getpid());
    std::filesystem::create_directories(directory);
    for (const char* name : {"friend", "stranger"}) {
        const std::string file = directory + "/" + name;
        const std::string command =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 "
            "-subj /CN=c -keyout " +
            file + ".key -out " + file + ".pem 2>/dev/null";
        ASSERT_EQ(std::system(command.c_str()), 0);
    }
    start(read_file(directory + "/friend.pem"));
    EXPECT_EQ(test::body_of(ask(test::post_request("/a", ""))), "POST /a 0");
    TlsClient known(server_->port());
    known.use_certificate(directory + "/friend.pem", directory + "/friend.key");
    EXPECT_EQ(test::body_of(known.ask(test::post_request("/a", ""))), "POST /a 0 verified");
    TlsClient stranger(server_->port());
    stranger.use_certificate(directory + "/stranger.pem", directory + "/stranger.key");
    EXPECT_EQ(stranger.ask(test::post_request("/a", "")), "");
    std::filesystem::remove_all(directory);
}

TEST_F(WebhookServer, StopAnswersWhatHasBeenAsked) {
    start();
    TlsClient idle(server_->port());
    EXPECT_EQ(test::status_of(idle.ask(test::post_request("/a", ""))), 200);
    TlsClient asking(server_->port());
    ASSERT_EQ(asking.handshake(), TlsClient::Step::done);
    std::string_view half = "POST /a HTTP/1.1\r\nHost: a\r\nContent-";
    asking.write(half);
    std::this_thread::sleep_for(50ms);
    auto stopped = std::async(std::launch::async, [this] { server_->stop(5s); });
    EXPECT_TRUE(idle.is_closed_within(2s));
    EXPECT_EQ(test::body_of(asking.ask("Length: 2\r\n\r\n{}")), "POST /a 2");
    EXPECT_TRUE(asking.is_closed_within(2s));
    EXPECT_EQ(stopped.wait_for(4s), std::future_status::ready);
    EXPECT_FALSE(TlsClient(server_->port()).connected());
}

TEST_F(WebhookServer, AddressesAreChecked) {
    for (const char* address : {"", "localhost", "1.2.3.4.5", "text"}) {
        const auto server = HttpsServer::start({.address = address}, echo, TlsContext{});
        ASSERT_FALSE(server) << address;
        EXPECT_EQ(server.error().code, Errc::invalid_argument);
    }
    start();
    const auto second =
        HttpsServer::start({.address = "127.0.0.1", .port = server_->port()}, echo, TlsContext{});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::io);
}

TEST(WebhookTls, UnusableTextsAreRefused) {
    const KeyPair one = certificate("one");
    const KeyPair other = certificate("other");
    const auto problem = [](const KeyPair& pair, const std::string& clients) {
        const auto context = make_tls_context(pair.certificate, pair.key, clients);
        return context ? "" : context.error().message.substr(0, 30);
    };
    EXPECT_EQ(problem(one, ""), "");
    EXPECT_EQ(problem({"", one.key}, "").substr(0, 15), "the certificate");
    EXPECT_EQ(problem({one.certificate, ""}, "").substr(0, 7), "the key");
    EXPECT_EQ(problem({one.certificate, other.key}, ""), "the key is not the certificate");
    EXPECT_EQ(problem(one, "text").substr(0, 22), "the client authorities");
}

}  // namespace
}  // namespace cmk::k8s
