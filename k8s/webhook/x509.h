// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/handle.h"
#include "base/result.h"

struct bio_st;
struct evp_pkey_st;
struct x509_st;

namespace cmk::k8s {

void free_bio(bio_st* bio) noexcept;
void free_certificate(x509_st* certificate) noexcept;
void free_key(evp_pkey_st* key) noexcept;

using Bio = Handle<bio_st, free_bio>;
using Certificate = Handle<x509_st, free_certificate>;
using Key = Handle<evp_pkey_st, free_key>;

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

std::string pem_of(x509_st* certificate);
std::string pem_of(evp_pkey_st* key);

/// When the certificate ends, in seconds since 1970. Errors: invalid_argument where it has no end.
Result<std::int64_t> end_of(const x509_st& certificate);

}  // namespace cmk::k8s
