// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace cmk::k8s {

/// Of the certificates made here. A certificate is replaced monthly and outlives one run that
/// fails.
constexpr int kCertificateDays = 62;

/// A certificate (or several) and the private key of the first, in PEM.
struct KeyPair {
    std::string certificate;
    std::string key;
};

/// A new authority of its own: ECDSA P-256, good for signing server certificates only, and a little
/// longer valid than they are. `now` is in seconds since 1970; validity begins 5 minutes before,
/// for API servers whose clock is behind. Errors: internal, with OpenSSL's reason.
Result<KeyPair> make_authority(const std::string& common_name, std::int64_t now);

/// A server certificate for these DNS names, signed by the authority, valid kCertificateDays.
/// Errors: invalid_argument for a name that is none, or an unusable authority.
Result<KeyPair> issue_certificate(const KeyPair& authority, const std::vector<std::string>& names,
                                  std::int64_t now);

/// What a rotation writes, in this order: first `ca_bundle` (MutatingWebhookConfiguration), then
/// the certificate (Secret). Between the two, API servers trust the old certificate and the new.
struct Rotation {
    std::string ca_bundle;
    std::string authority;  ///< the newest of the bundle: that of `server`
    KeyPair server;
    std::int64_t not_after = 0;  ///< the certificate's end, in seconds since 1970
};

/// Of a bundle those that signed the certificate, or another in its chain.
std::string authorities_in_use(const std::string& bundle, const std::string& certificate);

/// Makes a new authority, whose key nobody keeps, and a certificate of it. The bundle keeps of
/// `old_bundle` only those that signed `old_certificate`: at the next run, this run's predecessors
/// are gone, and also what a run that ended half-way has left. Both may be "", or unusable, which
/// is the same.
/// Errors: as of the functions above.
Result<Rotation> rotate_certificates(const std::string& old_bundle,
                                     const std::string& old_certificate,
                                     const std::vector<std::string>& names, std::int64_t now);

/// The names by which API servers call a Service: NAME.NAMESPACE.svc, first, and its longer form.
std::vector<std::string> service_names(const std::string& service, const std::string& name_space);

}  // namespace cmk::k8s
