// SPDX-License-Identifier: Apache-2.0
#include "k8s/credentials.h"

#include <fcntl.h>

#include <algorithm>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk::k8s {

namespace {

Result<std::string> text_of(const TextSource& source) {
    if (source.file.empty()) return source.inline_text;
    CMK_TRY_ASSIGN(std::string text, read_file_at(AT_FDCWD, source.file));
    if (trim(text).empty()) {
        return make_error(Errc::invalid_argument, source.file + " is empty");
    }
    return text;
}

/// It becomes part of a header.
Result<std::string> token_of(const TextSource& source) {
    CMK_TRY_ASSIGN(const std::string text, text_of(source));
    std::string token(trim(text));
    const bool plain =
        std::all_of(token.begin(), token.end(), [](unsigned char c) { return c > ' ' && c < 127; });
    if (plain) return token;
    return make_error(Errc::invalid_argument,
                      "the token" + (source.file.empty() ? "" : " in " + source.file) +
                          " has characters that no token has");
}

}  // namespace

Result<CredentialTexts> Credentials::read() const {
    CredentialTexts texts;
    CMK_TRY_ASSIGN(texts.ca, text_of(config_.ca));
    CMK_TRY_ASSIGN(texts.token, token_of(config_.token));
    CMK_TRY_ASSIGN(texts.certificate, text_of(config_.client_certificate));
    CMK_TRY_ASSIGN(texts.key, text_of(config_.client_key));
    return texts;
}

Result<CredentialTexts> Credentials::at(TimePoint now) {
    if (read_at_ && now - *read_at_ <= kMaxAge) return *texts_;
    auto fresh = read();
    if (!fresh && !texts_) return std::move(fresh).error();
    if (fresh) texts_ = *std::move(fresh);
    read_at_ = now;
    return *texts_;
}

}  // namespace cmk::k8s
