// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/webhook_files.h"

#include <fcntl.h>

#include "base/file_io.h"

namespace cmk::k8s {

namespace {

Result<std::string> read(const std::string& path) {
    if (path.empty()) return std::string();
    return read_file_at(AT_FDCWD, path);
}

struct TlsTexts {
    std::string certificate;
    std::string key;
    std::string client_authorities;

    /// No PEM text has this byte.
    std::string joined() const { return certificate + '\x01' + key + '\x01' + client_authorities; }
};

Result<TlsTexts> read_tls(const ServerConfig& config) {
    TlsTexts texts;
    CMK_TRY_ASSIGN(texts.certificate, read(config.cert));
    CMK_TRY_ASSIGN(texts.key, read(config.key));
    CMK_TRY_ASSIGN(texts.client_authorities, read(config.client_ca));
    return texts;
}

/// Is this content, or this failure to read it, another than the last? Remembers it.
template <typename T>
bool is_news(const Result<T>& now, const std::string& text, std::string& last) {
    std::string content = now ? text : '\x02' + now.error().message;
    if (content == last) return false;
    last = std::move(content);
    return true;
}

void note(const Result<bool>& renewed, bool& changed, std::vector<Error>& problems) {
    if (renewed) {
        changed = *renewed;
    } else {
        problems.push_back(renewed.error());
    }
}

}  // namespace

Result<WebhookFiles> WebhookFiles::load(const ServerConfig& config) {
    WebhookFiles files(config);
    CMK_TRY(files.renew_tls());
    CMK_TRY(files.renew_mutations());
    return files;
}

FileChanges WebhookFiles::reload() {
    FileChanges changes;
    note(renew_tls(), changes.tls, changes.problems);
    note(renew_mutations(), changes.mutations, changes.problems);
    return changes;
}

Result<bool> WebhookFiles::renew_tls() {
    const auto texts = read_tls(config_);
    if (!is_news(texts, texts ? texts->joined() : "", tls_text_)) return false;
    if (!texts) return texts.error();
    auto made = make_tls_context(texts->certificate, texts->key, texts->client_authorities);
    if (!made) return with_context(made.error(), config_.cert);
    tls_ = *std::move(made);
    return true;
}

Result<bool> WebhookFiles::renew_mutations() {
    const Result<std::string> text =
        config_.mutations.empty() ? default_mutations({}) : read(config_.mutations);
    if (!is_news(text, text ? *text : "", mutations_text_)) return false;
    if (!text) return text.error();
    auto made = Mutations::parse(*text);
    if (!made) return with_context(made.error(), config_.mutations);
    mutations_ = std::make_shared<const Mutations>(*std::move(made));
    return true;
}

std::vector<std::string> WebhookFiles::paths() const {
    std::vector<std::string> paths{config_.cert, config_.key};
    if (!config_.client_ca.empty()) paths.push_back(config_.client_ca);
    if (!config_.mutations.empty()) paths.push_back(config_.mutations);
    return paths;
}

}  // namespace cmk::k8s
