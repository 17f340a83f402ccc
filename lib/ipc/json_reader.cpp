// SPDX-License-Identifier: Apache-2.0
#include "ipc/json_reader.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace cmk {

using nlohmann::json;

namespace {

/// Copying a JSON value takes stack for each of its levels, and whoever sends it chooses how many.
constexpr unsigned kMaxDepth = 32;

bool is_too_deep(std::string_view text) {
    unsigned depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"') in_string = !in_string;
        if (in_string) {
            if (c == '\\') ++i;
        } else if (c == '[' || c == '{') {
            if (++depth > kMaxDepth) return true;
        } else if (c == ']' || c == '}') {
            if (depth > 0) --depth;
        }
    }
    return false;
}

bool is_text(const json& value) {
    return value.is_string();
}
bool is_count(const json& value) {
    return value.is_number_unsigned();
}
bool is_flag(const json& value) {
    return value.is_boolean();
}
bool is_list(const json& value) {
    return value.is_array();
}

}  // namespace

JsonReader::JsonReader(const json& object) : object_(object) {
    if (!object.is_object()) fail("", "expected an object");
}

void JsonReader::fail(const std::string& key, const std::string& why) {
    if (error_) return;
    bad_key_ = key;
    error_ = make_error(Errc::invalid_argument, key.empty() ? why : key + ": " + why);
}

bool JsonReader::has(const char* key) const {
    const auto at = object_.is_object() ? object_.find(key) : object_.end();
    return at != object_.end() && !at->is_null();
}

const json* JsonReader::member(const char* key) {
    return has(key) ? &object_[key] : nullptr;
}

const json* JsonReader::typed(const char* key, bool (*has_type)(const json&), const char* type) {
    const json* value = member(key);
    if (value == nullptr) {
        fail(key, "is missing");
    } else if (!has_type(*value)) {
        fail(key, std::string("must be ") + type + ", not " +
                      quote(value->is_structured() ? value->type_name() : dump_line(*value)));
        return nullptr;
    }
    return value;
}

std::string JsonReader::text(const char* key) {
    const json* value = typed(key, is_text, "a string");
    return value == nullptr ? "" : value->get<std::string>();
}

std::uint64_t JsonReader::number(const char* key, std::uint64_t max) {
    const std::string range = "a whole number from 0 to " + std::to_string(max);
    const json* value = typed(key, is_count, range.c_str());
    const std::uint64_t number = value == nullptr ? 0 : value->get<std::uint64_t>();
    if (number > max) fail(key, "must be " + range + ", not " + std::to_string(number));
    return number > max ? 0 : number;
}

bool JsonReader::flag(const char* key) {
    const json* value = typed(key, is_flag, "true or false");
    return value != nullptr && value->get<bool>();
}

CpuSet JsonReader::cpus(const char* key) {
    auto set = CpuSet::parse(text(key));
    if (!set) fail(key, set.error().message);
    return set ? *std::move(set) : CpuSet{};
}

std::vector<std::string> JsonReader::texts(const char* key) {
    std::vector<std::string> list;
    const json* value = typed(key, is_list, "a list of strings");
    if (value == nullptr) return list;
    for (const json& item : *value) {
        if (!item.is_string()) fail(key, "must be a list of strings");
        if (item.is_string()) list.push_back(item.get<std::string>());
    }
    return list;
}

void JsonReader::allow_only(std::initializer_list<const char*> keys) {
    if (!object_.is_object()) return;
    for (const auto& [key, value] : object_.items()) {
        const bool known = std::any_of(keys.begin(), keys.end(),
                                       [&key = key](const char* name) { return key == name; });
        if (!known) fail(key, "is not known");
    }
}

Result<json> parse_object(std::string_view text) {
    if (is_too_deep(text)) {
        return make_error(Errc::invalid_argument, "not usable JSON: it nests deeper than " +
                                                      std::to_string(kMaxDepth) + " levels");
    }
    try {
        json value = json::parse(text);
        if (!value.is_object()) return make_error(Errc::invalid_argument, "not a JSON object");
        return value;
    } catch (const json::parse_error& problem) {
        return make_error(Errc::invalid_argument,
                          "not JSON: wrong at byte " + std::to_string(problem.byte));
    } catch (const std::exception&) {
        return make_error(Errc::invalid_argument, "not usable JSON");
    }
}

std::string dump_line(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace cmk
