// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "k8s/credentials.h"

extern "C" {
struct ssl_ctx_st;
}

namespace cmk::k8s {

/// Puts CA, client certificate (with its chain) and key into a context, and has the library compare
/// the server's certificate with `name`, a host name or an IP address. Without a CA of its own the
/// system's are trusted. Errors: invalid_argument, saying what is no PEM or does not belong
/// together.
Status prepare_tls(ssl_ctx_st* context, const CredentialTexts& texts, const std::string& name);

/// What OpenSSL's verification said, in words.
std::string verification_text(long result);

}  // namespace cmk::k8s
