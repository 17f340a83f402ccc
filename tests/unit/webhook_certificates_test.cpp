// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/certificates.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "k8s/webhook/tls.h"
#include "k8s/webhook/webhook_certs.h"

namespace cmk::k8s {
namespace {

namespace fs = std::filesystem;

const std::int64_t kNow = std::time(nullptr);
constexpr std::int64_t kDay = 86'400;

/// What the openssl command says of PEM files: another reader than the one under test.
class WebhookCertificates : public testing::Test {
protected:
    WebhookCertificates()
        : directory_(fs::temp_directory_path() /
                     ("cmk-certificates-" + std::to_string(::getpid()))) {
        fs::create_directories(directory_);
    }
    ~WebhookCertificates() override { fs::remove_all(directory_); }

    std::string write(const std::string& name, const std::string& text) const {
        const std::string path = directory_ / name;
        std::ofstream(path) << text;
        return path;
    }

    static std::string output(const std::string& command) {
        std::string text;
        FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
        char bytes[512];
        while (std::fgets(bytes, sizeof bytes, pipe) != nullptr)
            text += bytes;
        ::pclose(pipe);
        return text;
    }

    /// Does a client that trusts the bundle take the certificate for this name at this time?
    bool is_trusted(const std::string& bundle, const std::string& certificate,
                    const std::string& name, std::int64_t time = kNow) const {
        const std::string text =
            output("openssl verify -x509_strict -purpose sslserver -attime " +
                   std::to_string(time) + " -verify_hostname " + name + " -CAfile " +
                   write("bundle.pem", bundle) + " " + write("leaf.pem", certificate));
        return text.find(": OK") != text.npos;
    }

    static long count(const std::string& bundle) {
        long count = 0;
        for (std::size_t at = 0; (at = bundle.find("BEGIN CERT", at)) != bundle.npos; ++at)
            ++count;
        return count;
    }

    fs::path directory_;
};

const std::vector<std::string> kNames = service_names("cmk-webhook-service", "cmk-system");

TEST_F(WebhookCertificates, ServersAreTrustedByTheirNamesAndWithinTheirTime) {
    const auto authority = make_authority("ca", kNow);
    ASSERT_TRUE(authority) << authority.error().message;
    const auto server = issue_certificate(*authority, kNames, kNow);
    ASSERT_TRUE(server) << server.error().message;
    const std::string& ca = authority->certificate;
    EXPECT_TRUE(is_trusted(ca, server->certificate, "cmk-webhook-service.cmk-system.svc"));
    EXPECT_TRUE(is_trusted(ca, server->certificate, kNames[1]));
    EXPECT_FALSE(is_trusted(ca, server->certificate, "cmk-webhook-service.other.svc"));
    EXPECT_TRUE(is_trusted(ca, server->certificate, kNames[0], kNow - 200));
    EXPECT_FALSE(is_trusted(ca, server->certificate, kNames[0], kNow - 400));
    EXPECT_TRUE(is_trusted(ca, server->certificate, kNames[0], kNow + 61 * kDay));
    EXPECT_FALSE(is_trusted(ca, server->certificate, kNames[0], kNow + 63 * kDay));
    EXPECT_FALSE(
        is_trusted(make_authority("ca", kNow)->certificate, server->certificate, kNames[0]));
}

TEST_F(WebhookCertificates, TheServerCanUseThem) {
    const auto rotation = rotate_certificates("", "", kNames, kNow);
    ASSERT_TRUE(rotation) << rotation.error().message;
    const auto tls =
        make_tls_context(rotation->server.certificate, rotation->server.key, rotation->ca_bundle);
    ASSERT_TRUE(tls) << tls.error().message;
    EXPECT_EQ(tls->not_after, kNow + kCertificateDays * kDay);
}

TEST_F(WebhookCertificates, WhatIsNoNameIsRefused) {
    const auto authority = make_authority("ca", kNow);
    for (const char* name : {"", "a,DNS:b", "A", "a b", ".a", "-a", "email:x@y", "a\n"}) {
        const auto issued = issue_certificate(*authority, {name}, kNow);
        ASSERT_FALSE(issued) << name;
        EXPECT_EQ(issued.error().code, Errc::invalid_argument);
    }
    EXPECT_FALSE(issue_certificate(*authority, {}, kNow));
    EXPECT_TRUE(issue_certificate(*authority, service_names(std::string(60, 'a'), "b"), kNow));
}

TEST_F(WebhookCertificates, UnusableAuthoritiesAreRefused) {
    const auto one = make_authority("ca", kNow);
    const auto other = make_authority("ca", kNow);
    EXPECT_FALSE(issue_certificate({one->certificate, other->key}, kNames, kNow));
    EXPECT_FALSE(issue_certificate({"", one->key}, kNames, kNow));
    EXPECT_FALSE(issue_certificate({one->certificate, "text"}, kNames, kNow));
}

TEST_F(WebhookCertificates, EachRotationTrustsTheLastCertificateAndItsOwn) {
    const auto first = rotate_certificates("", "", kNames, kNow);
    const auto second =
        rotate_certificates(first->ca_bundle, first->server.certificate, kNames, kNow + 30 * kDay);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(count(first->ca_bundle), 1);
    EXPECT_EQ(count(second->ca_bundle), 2);
    const std::int64_t then = kNow + 30 * kDay;
    EXPECT_TRUE(is_trusted(second->ca_bundle, first->server.certificate, kNames[0], then));
    EXPECT_TRUE(is_trusted(second->ca_bundle, second->server.certificate, kNames[0], then));
    const auto third =
        rotate_certificates(second->ca_bundle, second->server.certificate, kNames, then);
    ASSERT_TRUE(third);
    EXPECT_EQ(count(third->ca_bundle), 2);
    EXPECT_FALSE(is_trusted(third->ca_bundle, first->server.certificate, kNames[0], then));
    EXPECT_TRUE(is_trusted(third->ca_bundle, second->server.certificate, kNames[0], then));
}

TEST_F(WebhookCertificates, ARunThatEndedHalfWayLeavesNothingForGood) {
    const auto first = rotate_certificates("", "", kNames, kNow);
    // The bundle was written, the Secret was not.
    const auto half =
        rotate_certificates(first->ca_bundle, first->server.certificate, kNames, kNow);
    const auto next = rotate_certificates(half->ca_bundle, first->server.certificate, kNames, kNow);
    ASSERT_TRUE(next);
    EXPECT_EQ(count(next->ca_bundle), 2);
    EXPECT_TRUE(is_trusted(next->ca_bundle, first->server.certificate, kNames[0]));
    EXPECT_TRUE(is_trusted(next->ca_bundle, next->server.certificate, kNames[0]));
    EXPECT_FALSE(is_trusted(next->ca_bundle, half->server.certificate, kNames[0]));
}

TEST_F(WebhookCertificates, FilesAreRotatedInTheirDirectory) {
    const auto read = [this](const std::string& name) {
        std::ifstream file(directory_ / name);
        return std::string{std::istreambuf_iterator<char>(file), {}};
    };
    const WebhookCertsOptions options{.directory = directory_, .name_space = "cmk-system"};
    ASSERT_TRUE(write_webhook_certificates(options, kNow));
    const std::string first = read("cert.pem");
    EXPECT_TRUE(is_trusted(read("ca-bundle.pem"), first, kNames[0]));
    EXPECT_TRUE(make_tls_context(first, read("key.pem"), ""));
    EXPECT_EQ(fs::status(directory_ / "key.pem").permissions(), fs::perms(0600));
    ASSERT_TRUE(write_webhook_certificates(options, kNow));
    EXPECT_EQ(count(read("ca-bundle.pem")), 2);
    EXPECT_TRUE(is_trusted(read("ca-bundle.pem"), first, kNames[0]));
    EXPECT_TRUE(is_trusted(read("ca-bundle.pem"), read("cert.pem"), kNames[0]));
    EXPECT_NE(read("cert.pem"), first);
    EXPECT_FALSE(write_webhook_certificates({.directory = directory_ / "absent"}, kNow));
    EXPECT_FALSE(write_webhook_certificates({.directory = directory_, .service = "A b"}, kNow));
}

TEST_F(WebhookCertificates, UnusableOldOnesAreAsGoodAsNone) {
    for (const char* text :
         {"text", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}) {
        const auto rotation = rotate_certificates(text, text, kNames, kNow);
        ASSERT_TRUE(rotation);
        EXPECT_EQ(count(rotation->ca_bundle), 1);
    }
}

}  // namespace
}  // namespace cmk::k8s
