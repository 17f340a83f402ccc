// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/admission_review.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "ipc/json_reader.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

constexpr char kKind[] = "AdmissionReview";
constexpr char kV1[] = "admission.k8s.io/v1";
constexpr char kV1Beta1[] = "admission.k8s.io/v1beta1";

Error refuse(const std::string& why) {
    return make_error(Errc::invalid_argument, why);
}

/// The text, "" where it is absent, null or no text.
std::string text_at(const json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string kind_of(const json& request) {
    const auto kind = request.find("kind");
    if (kind == request.end() || !kind->is_object()) return "";
    // Another group's Pod would be something else.
    return text_at(*kind, "group").empty() ? text_at(*kind, "kind") : "";
}

}  // namespace

Result<AdmissionRequest> decode_review(std::string_view body) {
    CMK_TRY_ASSIGN(json review, parse_object(body));
    if (text_at(review, "kind") != kKind) return refuse("kind: must be AdmissionReview");
    AdmissionRequest decoded;
    decoded.api_version = text_at(review, "apiVersion");
    if (decoded.api_version != kV1 && decoded.api_version != kV1Beta1) {
        return refuse("apiVersion: must be " + std::string(kV1) + " or " + kV1Beta1 + ", not " +
                      quote(decoded.api_version));
    }
    const auto request = review.find("request");
    if (request == review.end() || !request->is_object()) return refuse("request: is missing");
    decoded.uid = text_at(*request, "uid");
    if (decoded.uid.empty()) return refuse("request.uid: is missing");
    decoded.kind = kind_of(*request);
    decoded.name_space = text_at(*request, "namespace");
    decoded.operation = text_at(*request, "operation");
    decoded.sub_resource = text_at(*request, "subResource");
    decoded.object = std::make_shared<const json>(std::move((*request)["object"]));
    return decoded;
}

std::string encode_review(const AdmissionRequest& request, const AdmissionAnswer& answer) {
    json response{{"uid", request.uid}, {"allowed", true}};
    if (answer.patch && !answer.patch->empty()) {
        response["patchType"] = "JSONPatch";
        response["patch"] = base64(dump_line(*answer.patch));
    }
    if (!answer.warnings.empty() && request.api_version == kV1) {
        response["warnings"] = answer.warnings;
    }
    return dump_line(
        {{"apiVersion", request.api_version}, {"kind", kKind}, {"response", response}});
}

std::string base64(std::string_view bytes) {
    constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            text += k <= count ? kDigits[group >> (18 - 6 * k) & 63U] : '=';
    }
    return text;
}

}  // namespace cmk::k8s
