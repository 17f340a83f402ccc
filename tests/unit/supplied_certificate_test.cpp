// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/supplied_certificate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "k8s/webhook/webhook_certs.h"

namespace cmk::k8s {
namespace {

namespace fs = std::filesystem;

/// Later than the certificates, which begin when they are made.
const std::int64_t kNow = std::time(nullptr) + 600;
constexpr std::int64_t kDay = 86'400;
const std::vector<std::string> kNames = service_names("cmk-webhook-service", "cmk-system");

/// Made by the openssl command, as operators do: a root, an intermediate, and a server certificate.
class Supplied : public testing::Test {
protected:
    Supplied()
        : directory_(fs::temp_directory_path() / ("cmk-supplied-" + std::to_string(::getpid()))) {
        fs::create_directories(directory_);
    }
    ~Supplied() override { fs::remove_all(directory_); }

    void openssl(const std::string& arguments) const {
        const std::string line =
            "cd " + directory_.string() + " && openssl " + arguments + " 2>log";
        ASSERT_EQ(std::system(line.c_str()), 0) << line << "\n" << read("log");
    }

    std::string read(const std::string& name) const {
        std::ifstream file(directory_ / name);
        return std::string{std::istreambuf_iterator<char>(file), {}};
    }

    void make_root(const std::string& name) const {
        openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout " +
                name + ".key -out " + name + ".pem -days 90 -subj /CN=" + name);
    }

    void sign(const std::string& name, const std::string& issuer, const std::string& extensions,
              const std::string& key = "ec -pkeyopt ec_paramgen_curve:prime256v1") const {
        std::ofstream(directory_ / "extensions") << extensions;
        openssl("req -newkey " + key + " -nodes -keyout " + name + ".key -out " + name +
                ".csr -subj /CN=" + name);
        openssl("x509 -req -in " + name + ".csr -CA " + issuer + ".pem -CAkey " + issuer +
                ".key -CAcreateserial -days 60 -extfile extensions -out " + name + ".pem");
    }

    /// The usual ones, with what differs.
    SuppliedCertificate supplied(const std::string& extensions = "subjectAltName=DNS:" + kNames[0],
                                 const char* key = "rsa:2048") const {
        make_root("root");
        sign("server", "root", extensions, key);
        return {{read("server.pem"), read("server.key")}, read("root.pem")};
    }

    static std::string refusal(const SuppliedCertificate& supplied, std::int64_t now = kNow) {
        const auto adopted = adopt_certificate("", "", supplied, kNames, now);
        return adopted ? "taken" : adopted.error().message;
    }

    fs::path directory_;
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

TEST_F(Supplied, IsTakenWithItsAuthority) {
    const SuppliedCertificate given = supplied();
    const auto adopted = adopt_certificate("", "", given, kNames, kNow);
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_EQ(adopted->ca_bundle, given.authority);
    EXPECT_EQ(adopted->authority, given.authority);
    EXPECT_EQ(adopted->server.certificate, given.server.certificate);
    EXPECT_NEAR(static_cast<double>(adopted->not_after), static_cast<double>(kNow + 60 * kDay),
                1200);
}

TEST_F(Supplied, ComesBesideTheOneInUseAndStandsForIt) {
    const auto own = rotate_certificates("", "", kNames, kNow);
    const SuppliedCertificate given = supplied();
    const auto adopted =
        adopt_certificate(own->ca_bundle, own->server.certificate, given, kNames, kNow);
    ASSERT_TRUE(adopted);
    EXPECT_EQ(adopted->ca_bundle, own->ca_bundle + given.authority);
    // Renewed by the same authority, this stands there once, and our own has gone.
    const auto again =
        adopt_certificate(adopted->ca_bundle, given.server.certificate, given, kNames, kNow);
    EXPECT_EQ(again->ca_bundle, given.authority);
    // And back to certificates of our own.
    const auto back = rotate_certificates(again->ca_bundle, given.server.certificate, kNames, kNow);
    EXPECT_EQ(back->ca_bundle, given.authority + back->authority);
}

TEST_F(Supplied, MayHaveAChain) {
    make_root("root");
    sign("middle", "root", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign");
    sign("server", "middle", "subjectAltName=DNS:*.cmk-system.svc");
    const KeyPair server{read("server.pem") + read("middle.pem"), read("server.key")};
    EXPECT_EQ(refusal({server, read("root.pem")}), "taken");
    EXPECT_EQ(refusal({server, read("middle.pem")}), "taken");
    EXPECT_TRUE(
        contains(refusal({{read("server.pem"), server.key}, read("root.pem")}), "does not vouch"));
    // The root stays in the bundle while what it signed is in the chain that is served.
    EXPECT_EQ(authorities_in_use(read("root.pem"), server.certificate), read("root.pem"));
}

TEST_F(Supplied, IsRefusedWhereItDoesNotFit) {
    const SuppliedCertificate good = supplied();
    make_root("other");
    EXPECT_EQ(refusal({{good.server.certificate, read("other.key")}, good.authority}),
              "the key is not the certificate's");
    EXPECT_TRUE(contains(refusal({good.server, read("other.pem")}), "does not vouch"));
    EXPECT_EQ(refusal(good, kNow + 61 * kDay), "the certificate has expired");
    EXPECT_EQ(refusal(good, kNow - kDay), "the certificate is not valid yet");
    EXPECT_TRUE(contains(refusal({{"text", good.server.key}, good.authority}), "no PEM"));
    EXPECT_TRUE(contains(refusal({{good.server.certificate, "text"}, good.authority}), "no PEM"));
    EXPECT_TRUE(contains(refusal({good.server, ""}), "no PEM"));
    openssl("pkey -in server.key -aes128 -passout pass:secret -out locked.key");
    EXPECT_TRUE(contains(refusal({{good.server.certificate, read("locked.key")}, good.authority}),
                         "without a password"));
}

TEST_F(Supplied, MustBeForServingUnderTheServicesName) {
    const std::string elsewhere = refusal(supplied("subjectAltName=DNS:cmk.example.com,DNS:b.c"));
    EXPECT_TRUE(contains(elsewhere, "not for cmk-webhook-service.cmk-system.svc")) << elsewhere;
    EXPECT_TRUE(contains(elsewhere, "cmk.example.com, b.c")) << elsewhere;
    EXPECT_TRUE(contains(refusal(supplied("basicConstraints=CA:FALSE")), "DNS names: none"));
    EXPECT_TRUE(
        contains(refusal(supplied("extendedKeyUsage=clientAuth\nsubjectAltName=DNS:" + kNames[0])),
                 "does not vouch"));
}

TEST_F(Supplied, FilesAreNamedInRefusalsAndWrittenWhereGood) {
    const SuppliedCertificate good = supplied();
    const fs::path made = directory_ / "made";
    fs::create_directories(made);
    WebhookCertsOptions options{.directory = made,
                                .name_space = "cmk-system",
                                .certificate_file = directory_ / "server.pem",
                                .key_file = directory_ / "server.key",
                                .authority_file = directory_ / "root.pem"};
    const auto written = write_webhook_certificates(options, kNow);
    ASSERT_TRUE(written) << written.error().message;
    EXPECT_EQ(read("made/ca-bundle.pem"), good.authority);
    EXPECT_EQ(read("made/cert.pem"), good.server.certificate);
    EXPECT_EQ(validity_of(*written, kNow), "59 days");
    options.name_space = "default";
    const auto refused = write_webhook_certificates(options, kNow);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(contains(refused.error().message, "server.pem")) << refused.error().message;
    EXPECT_EQ(read("made/cert.pem"), good.server.certificate);
    options.key_file = directory_ / "absent";
    EXPECT_TRUE(contains(write_webhook_certificates(options, kNow).error().message, "absent"));
}

}  // namespace
}  // namespace cmk::k8s
