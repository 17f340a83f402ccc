// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/query.h"

#include <nlohmann/json.hpp>

namespace cmk::k8s {

using nlohmann::json;

namespace {

/// A page of the longest objects has to fit into one answer.
constexpr char kPage[] = "?limit=100";

std::string encoded(const std::string& text) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                           (c >= 'a' && c <= 'z') || c == '-' || c == '_';
        if (plain) {
            out += c;
        } else {
            out += {'%', kDigits[byte >> 4], kDigits[byte & 15U]};
        }
    }
    return out;
}

}  // namespace

Status for_each_object(Api& api, const std::string& collection, const std::string& query,
                       const std::function<void(const json&)>& take) {
    const std::string base = collection + kPage + (query.empty() ? "" : "&" + query);
    std::string next;
    do {
        const Request request{.method = "GET",
                              .path = next.empty() ? base : base + "&continue=" + encoded(next)};
        const auto answer = api.send(request);
        if (auto failure = failure_of(request, answer)) return std::move(failure->error);
        const json page = answer->object();
        const auto items = page.find("items");
        if (items == page.end() || !items->is_array()) {
            return make_error(Errc::invalid_argument,
                              "GET " + request.path + " was answered with no list");
        }
        for (const json& item : *items)
            take(item);
        next = text_of(member_of(page, "metadata"), "continue");
    } while (!next.empty());
    return {};
}

}  // namespace cmk::k8s
