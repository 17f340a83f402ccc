// SPDX-License-Identifier: Apache-2.0
// The webhook as a program: what it serves, and files that change under it.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/metrics_page.h"
#include "support/promtool.h"
#include "support/tls_client.h"
#include "support/webhook_process.h"

namespace cmk::test {
namespace {

const std::string kProgram = std::string(CMK_BUILD) + "/k8s/cmk-k8s";

std::string read_file(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

const std::string kReview = read_file(CMK_TEST_DATA "/webhook/70-recorded-1.20.2/review.json");

class WebhookProgram : public testing::Test {
protected:
    WebhookProgram() : webhook_({kProgram}) {}
    void SetUp() override { ASSERT_TRUE(webhook_.running()); }

    std::string ask(const std::string& request) const {
        return TlsClient(webhook_.port()).ask(request);
    }
    int status(const std::string& request) const { return status_of(ask(request)); }
    static std::string get(const std::string& path) {
        return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
    }
    std::string name_of_server() const {
        TlsClient client(webhook_.port());
        return client.handshake() == TlsClient::Step::done ? client.server_name() : "";
    }

    WebhookProcess webhook_;
};

TEST_F(WebhookProgram, ReviewsAreAnsweredOnThePathsOfTheOriginal) {
    for (const char* path : {"/mutate", "/mutate?timeout=2s", "/mutate/", "/mutated"}) {
        const std::string answer = ask(post_request(path, kReview));
        ASSERT_EQ(status_of(answer), 200) << path;
        EXPECT_TRUE(nlohmann::json::parse(body_of(answer))["response"].contains("patch"));
    }
    EXPECT_EQ(status(post_request("/", kReview)), 404);
    EXPECT_EQ(status(get("/mutate")), 405);
    EXPECT_EQ(status(post_request("/mutate", "{")), 400);
    EXPECT_EQ(status("POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
                     "Content-Length: 2\r\n\r\n{}"),
              415);
}

TEST_F(WebhookProgram, HealthAndMetrics) {
    EXPECT_EQ(body_of(ask(get("/healthz"))), "ok\n");
    EXPECT_EQ(status(post_request("/healthz", "")), 405);
    EXPECT_EQ(status(post_request("/mutate", kReview)), 200);
    EXPECT_EQ(status(post_request("/mutate", "{")), 400);
    const std::string metrics = body_of(ask(get("/metrics")));
    for (const char* line :
         {"cmk_webhook_reviews_total{outcome=\"mutated\"} 1\n",
          "cmk_webhook_reviews_total{outcome=\"refused\"} 1\n",
          "cmk_webhook_review_duration_seconds_count 2\n", "\ncmk_webhook_connections "}) {
        EXPECT_NE(metrics.find(line), std::string::npos) << line << metrics;
    }
    EXPECT_EQ(metrics.find("not_after_seconds 0\n"), std::string::npos);
    EXPECT_EQ(metrics.find("connections 0\n"), std::string::npos);
    test::expect_valid_metrics(metrics);
    EXPECT_EQ(test::families_of(metrics),
              test::documented_families(std::getenv("CMK_SOURCE_DIR"), "Webhook"));
}

TEST_F(WebhookProgram, AMountedCertificateIsReadAgainWithoutLosingConnections) {
    TlsClient kept(webhook_.port());
    EXPECT_EQ(status_of(kept.ask(post_request("/mutate", kReview))), 200);
    EXPECT_EQ(name_of_server(), "first.test");
    webhook_.mount_certificate("second.test");
    ASSERT_TRUE(webhook_.has_said("a new certificate is in use"));
    EXPECT_EQ(name_of_server(), "second.test");
    EXPECT_EQ(status_of(kept.ask(post_request("/mutate", kReview))), 200);
    webhook_.mount_certificate("third.test");
    ASSERT_TRUE(webhook_.has_said("in use\ncmk-k8s webhook: a new certificate is in use"));
    EXPECT_EQ(name_of_server(), "third.test");
}

TEST_F(WebhookProgram, BrokenFilesLeaveTheOldOnesInUse) {
    webhook_.mount("text", "text", "mutations: [1]");
    ASSERT_TRUE(webhook_.has_said("mutations.yaml: mutations: must be a map"));
    EXPECT_NE(webhook_.stop().out.find("cert.pem: the certificate is unusable"), std::string::npos);
}

TEST_F(WebhookProgram, WithBrokenFilesItGoesOn) {
    webhook_.mount("text", "text", "mutations: [1]");
    ASSERT_TRUE(webhook_.has_said("mutations.yaml: mutations: must be a map"));
    EXPECT_EQ(name_of_server(), "first.test");
    EXPECT_EQ(status(post_request("/mutate", kReview)), 200);
    EXPECT_NE(body_of(ask(get("/metrics"))).find("reloads_total{result=\"unusable\"} 2"),
              std::string::npos);
}

TEST_F(WebhookProgram, NewMutationsAreUsedFromThenOn) {
    const std::string before = body_of(ask(post_request("/mutate", kReview)));
    webhook_.mount(read_file(webhook_.directory() + "/cert.pem"),
                   read_file(webhook_.directory() + "/key.pem"), "mutations:");
    ASSERT_TRUE(webhook_.has_said("new mutations are in use"));
    const std::string after = body_of(ask(post_request("/mutate", kReview)));
    EXPECT_NE(after, before);
    EXPECT_TRUE(nlohmann::json::parse(after)["response"].contains("patch"));
    EXPECT_EQ(name_of_server(), "first.test");
}

TEST_F(WebhookProgram, EndsAtSigterm) {
    const Outcome outcome = webhook_.stop();
    EXPECT_EQ(outcome.exit, 0);
    EXPECT_NE(outcome.out.find("ending"), std::string::npos);
}

TEST(WebhookProgramStart, UnusableConfigurationsAreSaid) {
    EXPECT_NE(run({kProgram, "webhook", "--conf-file", "/nonexistent/server.yaml"}).exit, 0);
    WebhookProcess wrong({kProgram}, "  client-ca: /nonexistent/ca.pem\n");
    EXPECT_FALSE(wrong.running());
    const Outcome outcome = wrong.stop();
    EXPECT_NE(outcome.exit, 0);
    EXPECT_NE(outcome.out.find("/nonexistent/ca.pem"), std::string::npos) << outcome.out;
}

TEST(WebhookProgramClients, OnlyMutateNeedsACertificate) {
    const std::string ca = testing::TempDir() + "cmk-ca-" + std::to_string(::getpid());
    ASSERT_EQ(std::system(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                           "-days 1 -subj /CN=c -keyout " +
                           ca + ".key -out " + ca + " 2>/dev/null")
                              .c_str()),
              0);
    WebhookProcess webhook({kProgram}, "  client-ca: " + ca + "\n");
    ASSERT_TRUE(webhook.running());
    EXPECT_EQ(status_of(TlsClient(webhook.port()).ask("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")),
              200);
    EXPECT_EQ(status_of(TlsClient(webhook.port()).ask(post_request("/mutate", kReview))), 401);
    TlsClient known(webhook.port());
    known.use_certificate(ca, ca + ".key");
    EXPECT_EQ(status_of(known.ask(post_request("/mutate", kReview))), 200);
    std::remove(ca.c_str());
    std::remove((ca + ".key").c_str());
}

}  // namespace
}  // namespace cmk::test
