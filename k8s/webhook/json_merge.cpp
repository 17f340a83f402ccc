// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/json_merge.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "base/text.h"

namespace cmk::k8s {

using nlohmann::json;

namespace {

/// Lists of the pod API whose entries are told apart by one member (its patchMergeKey).
struct KeyedList {
    const char* list;
    const char* key;
};

constexpr std::array<KeyedList, 9> kKeyedLists{{{"volumes", "name"},
                                                {"env", "name"},
                                                {"containers", "name"},
                                                {"initContainers", "name"},
                                                {"imagePullSecrets", "name"},
                                                {"resourceClaims", "name"},
                                                {"volumeMounts", "mountPath"},
                                                {"volumeDevices", "devicePath"},
                                                {"hostAliases", "ip"}}};

std::string text_at(const json& object, const char* key) {
    if (!object.is_object()) return "";
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// Does whoever has toleration `has` get no more from `extra`? By the scheduler's rules.
bool covers(const json& has, const json& extra) {
    if (!has.is_object() || !extra.is_object() || has.contains("tolerationSeconds")) return false;
    const std::string effect = text_at(has, "effect");
    if (!effect.empty() && effect != text_at(extra, "effect")) return false;
    const std::string key = text_at(has, "key");
    const bool exists = text_at(has, "operator") == "Exists";
    if (key.empty()) return exists;
    if (key != text_at(extra, "key")) return false;
    return exists || (text_at(extra, "operator") != "Exists" &&
                      text_at(has, "value") == text_at(extra, "value"));
}

bool same_meaning(const std::string& list, const json& has, const json& extra) {
    if (has == extra) return true;
    if (list == "tolerations") return covers(has, extra);
    for (const KeyedList& keyed : kKeyedLists) {
        if (list != keyed.list) continue;
        const std::string name = text_at(extra, keyed.key);
        return !name.empty() && name == text_at(has, keyed.key);
    }
    return false;
}

void append_missing(const std::string& list, json& target, const json& extra) {
    for (const json& entry : extra) {
        const bool there = std::any_of(target.begin(), target.end(), [&](const json& has) {
            return same_meaning(list, has, entry);
        });
        if (!there) target.push_back(entry);
    }
}

Status merge_value(const std::string& name, json& target, const json& extra);

Status merge_objects(json& target, const json& extra) {
    for (const auto& [key, value] : extra.items()) {
        const auto status = merge_value(key, target[key], value);
        if (!status) return with_context(status.error(), key);
    }
    return {};
}

/// A member that is absent comes as null.
Status merge_value(const std::string& name, json& target, const json& extra) {
    if (target.is_null() && extra.is_structured()) {
        // Servers drop what is empty, and would get it again at each reinvocation.
        if (extra.empty()) return {};
        target = extra.is_object() ? json::object() : json::array();
    }
    if (target.is_object() && extra.is_object()) return merge_objects(target, extra);
    if (target.is_array() && extra.is_array()) {
        append_missing(name, target, extra);
        return {};
    }
    // A key of which all entries are commented out.
    if (target.is_structured() && extra.is_null()) return {};
    if (target.is_structured() || extra.is_structured()) {
        return make_error(
            Errc::invalid_argument,
            std::string(extra.type_name()) + " cannot be merged into " + target.type_name());
    }
    target = extra;
    return {};
}

}  // namespace

Status deep_merge(json& target, const json& extra) {
    return merge_value("", target, extra);
}

}  // namespace cmk::k8s
