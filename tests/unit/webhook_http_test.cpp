// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "k8s/webhook/http_request.h"
#include "k8s/webhook/server_config.h"

namespace cmk::k8s {
namespace {

HttpHead head_of(const std::string& text) {
    const HttpParsed parsed = parse_http_head(text);
    if (const auto* head = std::get_if<HttpHead>(&parsed)) return *head;
    const auto* problem = std::get_if<HttpProblem>(&parsed);
    ADD_FAILURE() << text << ": " << (problem != nullptr ? problem->reason : "incomplete");
    return {};
}

int problem_of(const std::string& text) {
    const HttpParsed parsed = parse_http_head(text);
    const auto* problem = std::get_if<HttpProblem>(&parsed);
    return problem != nullptr ? problem->status : 0;
}

const std::string kHost = "Host: a\r\n";

std::string get(const std::string& headers) {
    return "GET / HTTP/1.1\r\n" + kHost + headers + "\r\n";
}

TEST(WebhookHttp, WhatAnApiServerSends) {
    const std::string text =
        "POST /mutate?timeout=2s HTTP/1.1\r\nHost: 127.0.0.1:16450\r\n"
        "User-Agent: kube-apiserver-admission\r\nContent-Length: 2290\r\n"
        "Accept: application/json, */*\r\nContent-Type: application/json\r\n"
        "Accept-Encoding: gzip\r\n\r\n";
    const HttpHead head = head_of(text + "{\"kind\"");
    EXPECT_EQ(head.method, "POST");
    EXPECT_EQ(head.path(), "/mutate");
    EXPECT_EQ(head.content_type, "application/json");
    EXPECT_EQ(head.head_size, text.size());
    EXPECT_EQ(head.body_size, 2290U);
    EXPECT_TRUE(head.keep_alive);
    for (std::size_t size = 0; size < text.size(); ++size)
        ASSERT_TRUE(std::holds_alternative<HttpIncomplete>(parse_http_head(text.substr(0, size))));
}

TEST(WebhookHttp, ConnectionsAreKeptByVersionAndHeader) {
    EXPECT_TRUE(head_of(get("")).keep_alive);
    EXPECT_FALSE(head_of(get("Connection: x, Close\r\n")).keep_alive);
    EXPECT_FALSE(head_of(get("Connection: keep-alive, close\r\n")).keep_alive);
    EXPECT_FALSE(head_of("GET / HTTP/1.0\r\n\r\n").keep_alive);
    EXPECT_TRUE(head_of("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

TEST(WebhookHttp, TypesAndExpectations) {
    EXPECT_EQ(head_of(get("Content-Type:  Application/JSON ; charset=utf-8\r\n")).content_type,
              "application/json");
    EXPECT_TRUE(head_of(get("Expect: 100-continue\r\n")).expects_continue);
    EXPECT_EQ(problem_of(get("Expect: more\r\n")), 417);
    EXPECT_FALSE(head_of(get("")).has_length);
    EXPECT_TRUE(head_of(get("Content-Length: 0\r\n")).has_length);
    EXPECT_EQ(head_of(get("Content-Length: 7\r\nContent-Length: 7\r\n")).body_size, 7U);
}

TEST(WebhookHttp, WhatCouldBeReadInTwoWaysIsRefused) {
    for (const std::string& text : {get("Content-Length: 7\r\nContent-Length: 8\r\n"),
                                    get("Content-Length: +7\r\n"),
                                    get("Content-Length: 0x7\r\n"),
                                    get("Content-Length: \r\n"),
                                    get("Content-Length: 7, 7\r\n"),
                                    get("A : b\r\n"),
                                    get(" folded\r\n"),
                                    get(": b\r\n"),
                                    get("A\r\n"),
                                    get("A: b\nC: d\r\n"),
                                    get("A: b\rC: d\r\n"),
                                    get(std::string("A: b\0c\r\n", 8)),
                                    get(kHost),
                                    std::string("GET / HTTP/1.1\r\n\r\n"),
                                    std::string("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
                                    std::string("GET / HTTP/1.1 x\r\nHost: a\r\n\r\n"),
                                    std::string("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
                                    std::string("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
                                    std::string("GET /\r\n\r\n"),
                                    std::string("\r\n\r\n"),
                                    std::string("\x16\x03\x01\r\n\r\n")}) {
        EXPECT_EQ(problem_of(text), 400) << text;
    }
}

TEST(WebhookHttp, LimitsAndWhatIsNotSpoken) {
    EXPECT_EQ(problem_of("GET / HTTP/2.0\r\n\r\n"), 505);
    EXPECT_EQ(problem_of(get("Transfer-Encoding: chunked\r\n")), 501);
    EXPECT_EQ(problem_of(get("Content-Length: 99999999999999999999\r\n")), 400);
    EXPECT_EQ(problem_of(get("Content-Length: " + std::to_string(kMaxHttpBody + 1) + "\r\n")), 413);
    EXPECT_EQ(head_of(get("Content-Length: " + std::to_string(kMaxHttpBody) + "\r\n")).body_size,
              kMaxHttpBody);
    EXPECT_EQ(problem_of(get("A: " + std::string(kMaxHttpHead, 'b') + "\r\n")), 431);
    EXPECT_EQ(problem_of(std::string(kMaxHttpHead, 'b')), 431);
    EXPECT_EQ(problem_of(std::string(kMaxHttpHead - 1, 'b')), 0);
}

TEST(WebhookHttp, Answers) {
    EXPECT_EQ(format_http_answer(200, "text/plain", "ok\n", true),
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n");
    EXPECT_EQ(format_http_answer(405, "a/b", "", false, "Allow: POST\r\n"),
              "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: a/b\r\nContent-Length: 0\r\n"
              "Allow: POST\r\nConnection: close\r\n\r\n");
}

TEST(WebhookServerConfig, TheOriginalsFile) {
    const auto config = parse_server_config(
        "server:\n  binding-address: 0.0.0.0\n  cert: /etc/ssl/cert.pem\n  key: /etc/ssl/key.pem\n"
        "  mutations: /etc/webhook/mutations.yaml\n  port: 443\n");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->address, "0.0.0.0");
    EXPECT_EQ(config->port, 443);
    EXPECT_EQ(config->cert, "/etc/ssl/cert.pem");
    EXPECT_EQ(config->key, "/etc/ssl/key.pem");
    EXPECT_EQ(config->mutations, "/etc/webhook/mutations.yaml");
    EXPECT_EQ(config->client_ca, "");
}

TEST(WebhookServerConfig, DefaultsAndErrors) {
    const auto least = parse_server_config("server: {cert: c, key: k, client-ca: a, other: 1}");
    ASSERT_TRUE(least) << least.error().message;
    EXPECT_EQ(least->port, 8443);
    EXPECT_EQ(least->mutations, "");
    EXPECT_EQ(least->client_ca, "a");
    const std::pair<const char*, const char*> cases[] = {
        {"", "server"},
        {"server: []", "server"},
        {"server: {key: k}", "cert"},
        {"server: {cert: c}", "key"},
        {"server: {cert: c, key: 1}", "key"},
        {"server: {cert: c, key: k, port: 65536}", "port"},
        {"server: {cert: c, key: k, port: -1}", "port"},
        {"server: {cert: c, key: k, port: text}", "port"},
        {"server: {cert: c, key: k, binding-address: 1}", "binding-address"},
        {"server: {cert: c", "line"},
    };
    for (const auto& [yaml, named] : cases) {
        const auto config = parse_server_config(yaml);
        ASSERT_FALSE(config) << yaml;
        EXPECT_NE(config.error().message.find(named), std::string::npos) << config.error().message;
    }
}

}  // namespace
}  // namespace cmk::k8s
