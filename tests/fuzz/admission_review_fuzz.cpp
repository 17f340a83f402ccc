// SPDX-License-Identifier: Apache-2.0
// Admission reviews, and the requests that carry them: whatever comes is answered; a patch applies
// to the pod of the review, and the patched pod gets none.
#include <nlohmann/json.hpp>

#include "fuzz/must.h"
#include "k8s/webhook/admission.h"
#include "k8s/webhook/http_request.h"
#include "support/base64.h"

namespace {

using namespace cmk::k8s;
using cmk::test::must;
using nlohmann::json;

const Mutations& mutations() {
    static const Mutations parsed = *Mutations::parse(default_mutations({}));
    return parsed;
}

ReviewReply answer(std::string_view body) {
    return answer_review(body, mutations(), "cmk");
}

void check_patch(json review, const json& response) {
    must(response["patchType"] == "JSONPatch", "the patch has its type");
    json& pod = review["request"]["object"];
    const json patch =
        json::parse(cmk::test::unbase64(response["patch"].get<std::string>()), nullptr, false);
    must(patch.is_array() && !patch.empty(), "the patch is a list of operations");
    pod = pod.patch(patch);
    must(answer(review.dump()).outcome == Outcome::unchanged, "the patched pod gets no patch");
}

void check_answer(std::string_view body) {
    const ReviewReply reply = answer(body);
    must((reply.outcome == Outcome::refused) == (reply.http_status == 400), "refused with 400");
    if (reply.http_status == 400) return;
    must(reply.http_status == 200, "no other status");
    const json review = json::parse(body);
    const json sent = json::parse(reply.body);
    must(sent["apiVersion"] == review["apiVersion"], "the version is the review's");
    must(sent["response"]["uid"] == review["request"]["uid"], "the uid is the review's");
    must(sent["response"]["allowed"] == true, "it is allowed");
    const bool patched = sent["response"].contains("patch");
    must(patched == (reply.outcome == Outcome::mutated), "what is mutated has a patch");
    if (patched) check_patch(review, sent["response"]);
}

void check_head(std::string_view text) {
    const HttpParsed parsed = parse_http_head(text);
    if (const auto* head = std::get_if<HttpHead>(&parsed)) {
        must(head->head_size <= text.size() && head->head_size <= kMaxHttpHead,
             "the head is there");
        must(head->body_size <= kMaxHttpBody, "the body is bounded");
        must(!head->target.empty() && head->target[0] == '/', "the target is a path");
        check_answer(text.substr(head->head_size));
    } else if (const auto* problem = std::get_if<HttpProblem>(&parsed)) {
        must(problem->status >= 400 && problem->status < 600, "a problem has an error status");
    } else {
        must(text.size() < kMaxHttpHead, "a head that is too long is a problem");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = cmk::test::text_of(data, size);
    check_answer(text);
    check_head(text);
    return 0;
}
