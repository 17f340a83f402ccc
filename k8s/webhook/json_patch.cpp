// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/json_patch.h"

#include <nlohmann/json.hpp>

namespace cmk::k8s {

using nlohmann::json;

namespace {

void append(json& patch, const char* operation, const std::string& path, const json& value) {
    patch.push_back({{"op", operation}, {"path", path}, {"value", value}});
}

void compare(const json& before, const json& after, const std::string& path, json& patch);

void compare_objects(const json& before, const json& after, const std::string& path, json& patch) {
    for (const auto& [key, value] : after.items()) {
        const std::string member = path + "/" + pointer_token(key);
        const auto old = before.find(key);
        if (old == before.end() && value.is_null()) continue;
        if (old == before.end() || (old->is_null() && !value.is_null())) {
            append(patch, "add", member, value);
        } else {
            compare(*old, value, member, patch);
        }
    }
}

void compare_lists(const json& before, const json& after, const std::string& path, json& patch) {
    for (std::size_t i = 0; i < before.size(); ++i)
        compare(before[i], after[i], path + "/" + std::to_string(i), patch);
    for (std::size_t i = before.size(); i < after.size(); ++i)
        append(patch, "add", path + "/-", after[i]);
}

void compare(const json& before, const json& after, const std::string& path, json& patch) {
    if (before == after) return;
    if (before.is_object() && after.is_object()) {
        compare_objects(before, after, path, patch);
    } else if (before.is_array() && after.is_array() && before.size() <= after.size()) {
        compare_lists(before, after, path, patch);
    } else {
        append(patch, "replace", path, after);
    }
}

}  // namespace

std::string pointer_token(std::string_view key) {
    std::string token;
    for (const char c : key) {
        if (c == '~' || c == '/') {
            token += c == '~' ? "~0" : "~1";
        } else {
            token += c;
        }
    }
    return token;
}

json make_patch(const json& before, const json& after) {
    json patch = json::array();
    compare(before, after, "", patch);
    return patch;
}

}  // namespace cmk::k8s
