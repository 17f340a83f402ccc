// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/x509.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <ctime>

namespace cmk::k8s {

namespace {

std::string text_of(const Bio& bio) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

}  // namespace

void free_bio(bio_st* bio) noexcept {
    BIO_free(bio);
}

void free_certificate(x509_st* certificate) noexcept {
    X509_free(certificate);
}

void free_key(evp_pkey_st* key) noexcept {
    EVP_PKEY_free(key);
}

Error openssl_error(Errc code, const std::string& what) {
    const unsigned long number = ERR_peek_last_error();
    const char* reason = number == 0 ? nullptr : ERR_reason_error_string(number);
    ERR_clear_error();
    return make_error(code, reason == nullptr ? what : what + ": " + reason);
}

Bio reader_of(const std::string& text) {
    return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) noexcept {
    return -1;
}

std::vector<Certificate> certificates_in(const std::string& pem) {
    std::vector<Certificate> found;
    const Bio bio = reader_of(pem);
    while (Certificate next{PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)})
        found.push_back(std::move(next));
    ERR_clear_error();
    return found;
}

Key private_key_in(const std::string& pem) {
    const Bio bio = reader_of(pem);
    return Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
}

std::string pem_of(x509_st* certificate) {
    const Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate);
    return text_of(bio);
}

std::string pem_of(evp_pkey_st* key) {
    const Bio bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio);
}

Result<std::int64_t> end_of(const x509_st& certificate) {
    std::tm time{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &time) != 1) {
        return openssl_error(Errc::invalid_argument, "the certificate has no end");
    }
    return static_cast<std::int64_t>(::timegm(&time));
}

}  // namespace cmk::k8s
