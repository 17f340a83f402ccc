// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "k8s/webhook/mutations.h"

namespace cmk::k8s {

/// What became of a review, for the metrics.
enum class Outcome {
    unchanged,  ///< nothing to do
    mutated,    ///< a patch was sent
    warned,     ///< it could not be mutated; the pod is admitted as it is
    refused,    ///< no answerable AdmissionReview
};

struct ReviewReply {
    Outcome outcome = Outcome::unchanged;
    int http_status = 200;     ///< 200, or 400 for a refused one
    std::string body;          ///< an AdmissionReview as JSON, or a line of text with 400
    std::string warning = {};  ///< for the log, with the request's uid; "" for none
};

/// Answers the body of one request. `own_namespace` is where the webhook runs ("" if it does not
/// know). Never fails: pods that are wrong are for the server to refuse.
ReviewReply answer_review(std::string_view body, const Mutations& mutations,
                          const std::string& own_namespace);

}  // namespace cmk::k8s
