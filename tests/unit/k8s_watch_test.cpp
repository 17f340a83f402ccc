// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "k8s/node_watch.h"
#include "k8s/status_server.h"
#include "support/kube_recorded.h"
#include "support/metrics_page.h"
#include "support/promtool.h"

namespace cmk::k8s {
namespace {

using std::chrono::seconds;

TEST(NodeWatch, BeginsWithTheObjectAndListsNothing) {
    const Request request = watch_request("n1.example", seconds(290));
    EXPECT_EQ(request.path,
              "/api/v1/nodes?watch=1&fieldSelector=metadata.name%3Dn1.example&resourceVersion=0&"
              "timeoutSeconds=290&allowWatchBookmarks=true");
}

TEST(NodeWatch, IsDeadWhenSilentForLongerThanItMayBe) {
    EXPECT_EQ(longest_silence(seconds(290), true), seconds(180));
    EXPECT_GT(longest_silence(seconds(290), false), seconds(290));
}

TEST(NodeWatch, ReadsEveryKindOfEvent) {
    const auto node = test::recorded_answer("1.36.2/029-node-get").object();
    for (const char* type : {"ADDED", "MODIFIED"}) {
        const auto event = read_watch_line(nlohmann::json{{"type", type}, {"object", node}}.dump());
        ASSERT_TRUE(event) << type;
        ASSERT_TRUE(event->node) << type;
        EXPECT_EQ(event->node->name, "node1");
        EXPECT_EQ(event->node->version, "211");
        EXPECT_EQ(event->node->text.find("managedFields"), std::string::npos);
    }
    const auto gone = read_watch_line(nlohmann::json{{"type", "DELETED"}, {"object", node}}.dump());
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->kind, WatchEvent::Kind::gone);
    const auto alive = read_watch_line(
        R"({"type":"BOOKMARK","object":{"kind":"Node","metadata":{"resourceVersion":"1"}}})");
    ASSERT_TRUE(alive);
    EXPECT_EQ(alive->kind, WatchEvent::Kind::alive);
}

TEST(NodeWatch, EndsAtAnErrorEventOrWhatIsNoEvent) {
    const auto too_old =
        read_watch_line(test::recorded_answer("1.36.2/223-410-watch-too-old").body);
    ASSERT_FALSE(too_old);
    EXPECT_NE(too_old.error().message.find("too old resource version"), std::string::npos);
    for (const char* line : {"", "{", "[]", "{}", R"({"type":"ADDED"})", R"({"type":7})",
                             R"({"type":"ADDED","object":{"kind":"Pod"}})",
                             R"({"type":"MODIFIED","object":[{"kind":"Node"}]})"})
        EXPECT_FALSE(read_watch_line(line)) << line;
}

class StatusAnswer : public ::testing::Test {
protected:
    std::string get(const std::string& line) { return status_answer(line, metrics_, now_); }
    Metrics metrics_;
    TimePoint now_{std::chrono::hours(10)};
};

TEST_F(StatusAnswer, IsReadyWhenTheNodeIsPublished) {
    EXPECT_TRUE(get("GET /readyz HTTP/1.1").starts_with("HTTP/1.1 503 "));
    PublisherStatus status{.node_published = now_};
    metrics_.set(status, nullptr, now_, now_);
    EXPECT_TRUE(get("GET /readyz HTTP/1.1").starts_with("HTTP/1.1 200 "));
    status.problems["agent"] = "away";
    metrics_.set(status, nullptr, now_, now_);
    EXPECT_TRUE(get("GET /readyz HTTP/1.1").starts_with("HTTP/1.1 200 ")) << "the last value holds";
    status.problems["node"] = "refused";
    metrics_.set(status, nullptr, now_, now_);
    EXPECT_TRUE(get("GET /readyz HTTP/1.1").starts_with("HTTP/1.1 503 "));
}

TEST_F(StatusAnswer, IsUnhealthyWhenNothingIsDecidedAnyMore) {
    metrics_.set({}, nullptr, now_, now_ + seconds(300));
    now_ += seconds(301);
    EXPECT_TRUE(get("GET /healthz HTTP/1.1").starts_with("HTTP/1.1 200 "));
    now_ += seconds(1200);
    EXPECT_TRUE(get("GET /healthz HTTP/1.1").starts_with("HTTP/1.1 503 "));
}

TEST_F(StatusAnswer, RefusesAnythingElse) {
    EXPECT_TRUE(get("GET /metrics?x=1 HTTP/1.1").starts_with("HTTP/1.1 200 "));
    EXPECT_TRUE(get("GET /etc/passwd HTTP/1.1").starts_with("HTTP/1.1 404 "));
    for (const char* line : {"", "GET", "POST /metrics HTTP/1.1", "\xff\xfe"})
        EXPECT_TRUE(get(line).starts_with("HTTP/1.1 405 ")) << line;
    EXPECT_TRUE(get("GET ").starts_with("HTTP/1.1 404 "));
}

TEST_F(StatusAnswer, EscapesLabels) {
    PublisherStatus status;
    status.problems["a\"b\\c\nd"] = "x";
    metrics_.set(status, nullptr, now_, now_);
    metrics_.count({.method = "GET", .status = 200, .sent = 1, .received = 2});
    const std::string page = metrics_.render(now_);
    EXPECT_NE(page.find(R"(cmk_problems{about="a\"b\\c\nd"} 1)"), std::string::npos) << page;
    EXPECT_NE(page.find("cmk_api_requests_total{method=\"GET\",code=\"200\"} 1\n"),
              std::string::npos);
    test::expect_valid_metrics(page);
    EXPECT_EQ(test::families_of(page), test::documented_families(CMK_SOURCE, "Publisher"));
}

}  // namespace
}  // namespace cmk::k8s
