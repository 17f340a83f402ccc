// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "k8s/webhook/certificates.h"

namespace cmk::k8s {

/// A certificate that an operator has made, in PEM.
struct SuppliedCertificate {
    KeyPair server;         ///< with the chain behind the certificate; the key unencrypted
    std::string authority;  ///< what API servers shall trust
};

/// Takes a supplied certificate in the place of one that rotate_certificates() makes, with the same
/// care for the bundle. It must be valid at `now` (seconds since 1970) for serving under names[0],
/// by which API servers call, as far as the authority says; the key must be its own.
/// Errors: invalid_argument, saying what does not fit.
Result<Rotation> adopt_certificate(const std::string& old_bundle,
                                   const std::string& old_certificate,
                                   const SuppliedCertificate& supplied,
                                   const std::vector<std::string>& names, std::int64_t now);

}  // namespace cmk::k8s
