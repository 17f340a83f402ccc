// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cmk::k8s {

/// The parts of an AdmissionReview (admission.k8s.io v1 and v1beta1) that the webhook reads. Texts
/// that are absent or null are "".
struct AdmissionRequest {
    std::string api_version;                       ///< to answer in: "admission.k8s.io/v1"
    std::string uid;                               ///< to be echoed; never ""
    std::string kind;                              ///< of the object, such as "Pod"
    std::string name_space;                        ///< the object's
    std::string operation;                         ///< "CREATE"
    std::string sub_resource;                      ///< "" for the object itself
    std::shared_ptr<const nlohmann::json> object;  ///< null for none, never nullptr
};

/// The webhook's verdict; it always allows.
struct AdmissionAnswer {
    std::shared_ptr<const nlohmann::json> patch;  ///< operations; nullptr or empty for no patch
    std::vector<std::string> warnings;            ///< shown to the user by v1 servers
};

/// Errors: invalid_argument for what cannot be answered: no JSON, no AdmissionReview of a version
/// that we know, no request, no uid.
Result<AdmissionRequest> decode_review(std::string_view body);

/// The AdmissionReview that answers: same version and uid, the patch as base64 with patchType
/// JSONPatch (servers from 1.20 on insist on uid, kind and patchType).
std::string encode_review(const AdmissionRequest& request, const AdmissionAnswer& answer);

/// RFC 4648, with padding.
std::string base64(std::string_view bytes);

}  // namespace cmk::k8s
