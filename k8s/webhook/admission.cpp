// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/admission.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "k8s/webhook/admission_review.h"
#include "k8s/webhook/pod_patch.h"

namespace cmk::k8s {

namespace {

/// Only new pods can be changed: the server refuses most changes of others.
bool is_new_pod(const AdmissionRequest& request) {
    return request.sub_resource.empty() &&
           (request.operation.empty() || request.operation == "CREATE");
}

Result<nlohmann::json> patch_for(const AdmissionRequest& request, const Mutations& mutations,
                                 const std::string& own_namespace) {
    if (request.kind != "Pod") return make_error(Errc::invalid_argument, "the object is no Pod");
    if (!is_new_pod(request)) return nlohmann::json::array();
    const bool own = !own_namespace.empty() && request.name_space == own_namespace;
    try {
        return pod_patch(*request.object, mutations, own);
    } catch (const std::exception& problem) {
        return make_error(Errc::internal, problem.what());
    }
}

}  // namespace

ReviewReply answer_review(std::string_view body, const Mutations& mutations,
                          const std::string& own_namespace) {
    const auto request = decode_review(body);
    if (!request) {
        return {Outcome::refused, 400, request.error().message + "\n", request.error().message};
    }
    auto patch = patch_for(*request, mutations, own_namespace);
    AdmissionAnswer answer;
    if (!patch) {
        const std::string warning = "not prepared for CMK: " + patch.error().message;
        answer.warnings.push_back(warning);
        return {Outcome::warned, 200, encode_review(*request, answer),
                "request " + quote(request->uid) + ": " + warning};
    }
    const Outcome outcome = patch->empty() ? Outcome::unchanged : Outcome::mutated;
    answer.patch = std::make_shared<const nlohmann::json>(*std::move(patch));
    return {outcome, 200, encode_review(*request, answer)};
}

}  // namespace cmk::k8s
