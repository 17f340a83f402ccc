// SPDX-License-Identifier: Apache-2.0
#include "k8s/kube_config.h"

#include <gtest/gtest.h>

#include <map>

namespace cmk::k8s {
namespace {

std::string kubeconfig(const std::string& user, const std::string& cluster = "") {
    return "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
           "contexts:\n- name: c\n  context: {cluster: k, user: u}\n"
           "clusters:\n- name: k\n  cluster: {server: 'https://h.example:6443'" +
           cluster + "}\nusers:\n- name: u\n  user: " + user + "\n";
}

TEST(KubeConfig, TakesEveryKindOfCredential) {
    const auto token = parse_kubeconfig(kubeconfig("{token: abc}"), "/d");
    ASSERT_TRUE(token) << token.error().message;
    EXPECT_EQ(token->host, "h.example");
    EXPECT_EQ(token->port, 6443);
    EXPECT_EQ(token->token.inline_text, "abc");
    EXPECT_FALSE(token->insecure);
    EXPECT_TRUE(token->ca.empty());

    const auto file = parse_kubeconfig(kubeconfig("{token: abc, tokenFile: t}"), "/d");
    ASSERT_TRUE(file);
    EXPECT_EQ(file->token.file, "/d/t");
    EXPECT_EQ(file->token.inline_text, "") << "the file counts, as for kubectl";

    const auto certificate =
        parse_kubeconfig(kubeconfig("{client-certificate: /c.pem, client-key-data: a2V5}",
                                    ", certificate-authority-data: Y2E=, tls-server-name: other"),
                         "/d");
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->client_certificate.file, "/c.pem");
    EXPECT_EQ(certificate->client_key.inline_text, "key");
    EXPECT_EQ(certificate->ca.inline_text, "ca");
    EXPECT_EQ(certificate->server_name, "other");
    EXPECT_TRUE(parse_kubeconfig(kubeconfig("{token: a}", ", insecure-skip-tls-verify: true"), "/")
                    ->insecure);
}

TEST(KubeConfig, SaysWhatIsWrong) {
    const std::pair<std::string, const char*> cases[] = {
        {kubeconfig("{exec: {command: aws-iam-authenticator}}"), "aws-iam-authenticator"},
        {kubeconfig("{auth-provider: {name: gcp}}"), "gcp"},
        {kubeconfig("{}"), "neither a token nor a client certificate"},
        {kubeconfig("{client-certificate: c}"), "one of"},
        {kubeconfig("{client-certificate-data: '!', client-key: k}"), "base64"},
        {kubeconfig("{token: a}", ", server: 'http://h'"), "https://"},
        {"current-context: x\n", "\"x\""},
        {"{}", "current-context"},
        {"a: [", "line"},
        {"- 1\n", "current-context"}};
    for (const auto& [text, part] : cases) {
        const auto config = parse_kubeconfig(text, "/d");
        ASSERT_FALSE(config) << text;
        EXPECT_NE(config.error().message.find(part), std::string::npos) << config.error().message;
    }
    const auto absent = read_kubeconfig("/absent/kubeconfig");
    ASSERT_FALSE(absent);
    EXPECT_NE(absent.error().message.find("/absent/kubeconfig"), std::string::npos);
}

struct Url {
    const char* url;
    const char* host;
    int port;
    const char* path;
};

TEST(KubeConfig, ReadsServerUrls) {
    const Url cases[] = {{"https://a", "a", 443, ""},
                         {"https://a:6443/", "a", 6443, ""},
                         {"https://a/k8s/x/", "a", 443, "/k8s/x"},
                         {"https://[::1]:8443", "::1", 8443, ""},
                         {"https://[fd00::2]", "fd00::2", 443, ""}};
    for (const Url& each : cases) {
        KubeConfig config;
        ASSERT_TRUE(parse_server_url(each.url, config)) << each.url;
        EXPECT_EQ(config.host, each.host);
        EXPECT_EQ(config.port, each.port);
        EXPECT_EQ(config.base_path, each.path);
    }
    for (const char* url : {"", "a", "http://a", "https://", "https://:1", "https://a:0",
                            "https://a:b", "https://a:99999", "https://[::1", "https://[::1]x"}) {
        KubeConfig config;
        EXPECT_FALSE(parse_server_url(url, config)) << url;
    }
}

TEST(KubeConfig, IsThePodsServiceAccountWithoutAFile) {
    std::map<std::string, std::string> variables{{"KUBERNETES_SERVICE_HOST", "10.0.0.1"},
                                                 {"KUBERNETES_SERVICE_PORT", "6443"}};
    const Environment environment = [&](const char* name) -> std::optional<std::string> {
        const auto at = variables.find(name);
        if (at == variables.end()) return std::nullopt;
        return at->second;
    };
    const auto config = find_kube_config("", environment);
    ASSERT_TRUE(config);
    EXPECT_EQ(config->host, "10.0.0.1");
    EXPECT_EQ(config->token.file, "/var/run/secrets/kubernetes.io/serviceaccount/token");
    variables["KUBECONFIG"] = "/absent";
    EXPECT_FALSE(find_kube_config("", environment));
    variables.clear();
    const auto none = find_kube_config("", environment);
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().message.find("--kubeconfig"), std::string::npos);
}

}  // namespace
}  // namespace cmk::k8s
