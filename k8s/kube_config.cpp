// SPDX-License-Identifier: Apache-2.0
#include "k8s/kube_config.h"

#include <fcntl.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/file_io.h"
#include "base/text.h"
#include "k8s/api.h"
#include "k8s/base64.h"
#include "k8s/yaml.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

Error bad(const std::string& what) {
    return make_error(Errc::invalid_argument, what);
}

/// The entry of that name in a list of {name, <key>: {...}}.
Result<json> named(const json& config, const char* list, const char* key, const std::string& name) {
    const auto at = config.find(list);
    if (at != config.end() && at->is_array()) {
        for (const json& entry : *at) {
            if (text_of(entry, "name") == name) return member_of(entry, key);
        }
    }
    return bad(std::string(list) + " has no " + quote(name) + ", which the current context names");
}

std::string beside(const std::string& directory, const std::string& path) {
    return path.empty() || path.front() == '/' ? path : directory + "/" + path;
}

/// `key` names a file, `key`-data has the bytes in base64 and counts for more, as for kubectl.
Result<TextSource> source_of(const json& entry, const std::string& key,
                             const std::string& directory) {
    const std::string data = text_of(entry, (key + "-data").c_str());
    if (data.empty()) return TextSource{.file = beside(directory, text_of(entry, key.c_str()))};
    const auto text = decode_base64(data);
    if (!text) return bad(key + "-data is not base64");
    return TextSource{.inline_text = *text};
}

Status refuse_plugins(const json& user, const std::string& name) {
    if (user.contains("exec")) {
        return bad("user " + quote(name) + " gets its credential from the program " +
                   quote(text_of(member_of(user, "exec"), "command")) +
                   ", and exec plugins are not started here; use a token, tokenFile or client "
                   "certificate");
    }
    if (user.contains("auth-provider")) {
        return bad("user " + quote(name) + " gets its credential from the auth provider " +
                   quote(text_of(member_of(user, "auth-provider"), "name")) +
                   ", which is not known here; use a token, tokenFile or client certificate");
    }
    return {};
}

Status read_user(const json& user, const std::string& name, const std::string& directory,
                 KubeConfig& config) {
    CMK_TRY(refuse_plugins(user, name));
    config.token = {.inline_text = text_of(user, "token"),
                    .file = beside(directory, text_of(user, "tokenFile"))};
    if (!config.token.file.empty()) config.token.inline_text.clear();
    CMK_TRY_ASSIGN(config.client_certificate, source_of(user, "client-certificate", directory));
    CMK_TRY_ASSIGN(config.client_key, source_of(user, "client-key", directory));
    if (config.client_certificate.empty() != config.client_key.empty()) {
        return bad("user " + quote(name) + " has one of client-certificate and client-key only");
    }
    if (config.token.empty() && config.client_certificate.empty()) {
        return bad("user " + quote(name) + " has neither a token nor a client certificate");
    }
    return {};
}

Status read_cluster(const json& cluster, const std::string& directory, KubeConfig& config) {
    CMK_TRY(parse_server_url(text_of(cluster, "server"), config));
    CMK_TRY_ASSIGN(config.ca, source_of(cluster, "certificate-authority", directory));
    config.server_name = text_of(cluster, "tls-server-name");
    const auto insecure = cluster.find("insecure-skip-tls-verify");
    config.insecure = insecure != cluster.end() && insecure->is_boolean() && insecure->get<bool>();
    return {};
}

}  // namespace

Status parse_server_url(const std::string& url, KubeConfig& config) {
    constexpr std::string_view kScheme = "https://";
    const auto refuse = [&] {
        return bad("server " + quote(url) + " is not https://HOST[:PORT][/PATH]");
    };
    if (!url.starts_with(kScheme)) return refuse();
    std::string rest = url.substr(kScheme.size());
    const std::size_t slash = rest.find('/');
    config.base_path = slash == std::string::npos ? "" : rest.substr(slash);
    while (config.base_path.ends_with('/'))
        config.base_path.pop_back();
    rest = rest.substr(0, slash);
    const bool bracketed = rest.starts_with('[');
    const std::size_t end = bracketed ? rest.find(']') : rest.find(':');
    if (bracketed && end == std::string::npos) return refuse();
    config.host = bracketed ? rest.substr(1, end - 1) : rest.substr(0, end);
    const std::size_t colon = bracketed ? end + 1 : std::min(end, rest.size());
    if (config.host.empty()) return refuse();
    config.port = 443;
    if (colon == rest.size()) return {};
    const auto port = parse_unsigned(std::string_view(rest).substr(colon + 1), 65535);
    if (rest[colon] != ':' || !port || *port == 0) return refuse();
    config.port = static_cast<int>(*port);
    return {};
}

Result<KubeConfig> parse_kubeconfig(const std::string& yaml, const std::string& directory) {
    CMK_TRY_ASSIGN(const json config, parse_yaml(yaml));
    const std::string context_name = text_of(config, "current-context");
    if (context_name.empty()) return bad("it has no current-context");
    CMK_TRY_ASSIGN(const json context, named(config, "contexts", "context", context_name));
    const std::string user_name = text_of(context, "user");
    CMK_TRY_ASSIGN(const json cluster,
                   named(config, "clusters", "cluster", text_of(context, "cluster")));
    CMK_TRY_ASSIGN(const json user, named(config, "users", "user", user_name));
    KubeConfig result;
    CMK_TRY(read_cluster(cluster, directory, result));
    CMK_TRY(read_user(user, user_name, directory, result));
    return result;
}

Result<KubeConfig> read_kubeconfig(const std::string& path) {
    CMK_TRY_ASSIGN(const std::string text, read_file_at(AT_FDCWD, path));
    const std::size_t slash = path.rfind('/');
    auto config = parse_kubeconfig(text, slash == std::string::npos ? "." : path.substr(0, slash));
    if (!config) return with_context(std::move(config).error(), "kubeconfig " + path);
    return config;
}

Result<KubeConfig> in_cluster_config(const Environment& environment, const std::string& directory) {
    const std::string host = environment("KUBERNETES_SERVICE_HOST").value_or("");
    const auto port = parse_unsigned(environment("KUBERNETES_SERVICE_PORT").value_or("443"), 65535);
    if (host.empty()) {
        return make_error(Errc::unavailable,
                          "no credentials: this is no pod (KUBERNETES_SERVICE_HOST is not set); "
                          "name a kubeconfig with --kubeconfig or KUBECONFIG");
    }
    if (!port || *port == 0) return bad("KUBERNETES_SERVICE_PORT is no port");
    KubeConfig config{.host = host, .port = static_cast<int>(*port)};
    config.token.file = directory + "/token";
    config.ca.file = directory + "/ca.crt";
    return config;
}

Result<KubeConfig> find_kube_config(const std::string& named, const Environment& environment) {
    const std::string file = named.empty() ? environment("KUBECONFIG").value_or("") : named;
    if (!file.empty()) return read_kubeconfig(file);
    return in_cluster_config(environment);
}

}  // namespace cmk::k8s
