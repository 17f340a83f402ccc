// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/handle.h"
#include "base/result.h"

namespace cmk::k8s {

using Bio = Handle<BIO, BIO_free>;
using Certificate = Handle<X509, X509_free>;
using Key = Handle<EVP_PKEY, EVP_PKEY_free>;

/// An error with OpenSSL's reason, whose queue is emptied.
Error openssl_error(Errc code, const std::string& what);

/// Reads the text, which must outlive it.
Bio reader_of(const std::string& text);

/// For OpenSSL's readers: an encrypted key must not make them ask for its password on the terminal.
int no_password(char* buffer, int size, int writing, void* data) noexcept;

/// All certificates of a PEM text, up to what is none.
std::vector<Certificate> certificates_in(const std::string& pem);

/// The unencrypted private key of a PEM text, or null.
Key private_key_in(const std::string& pem);

std::string pem_of(X509* certificate);
std::string pem_of(EVP_PKEY* key);

/// When the certificate ends, in seconds since 1970. Errors: invalid_argument where it has no end.
Result<std::int64_t> end_of(const X509& certificate);

}  // namespace cmk::k8s
