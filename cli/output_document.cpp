// SPDX-License-Identifier: Apache-2.0
#include "cli/output_document.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace cmk {

using nlohmann::json;

namespace {

constexpr char kApiVersion[] = "cmk/v1";

/// A text that YAML reads as the same text without quotes.
bool is_plain(const std::string& text) {
    constexpr const char* kReserved[] = {"true", "false", "yes", "no", "on",
                                         "off",  "null",  "y",   "n",  "nan"};
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto is_inside = [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '/' || c == '.' ||
               c == '-' || c == ' ';
    };
    if (text.empty() || text.back() == ' ' || !(is_letter(text.front()) || text.front() == '/')) {
        return false;
    }
    std::string lower = text;
    for (char& c : lower)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return std::all_of(text.begin(), text.end(), is_inside) &&
           std::none_of(std::begin(kReserved), std::end(kReserved),
                        [&](const char* word) { return lower == word; });
}

std::string yaml_scalar(const json& value) {
    if (value.is_string() && is_plain(value.get_ref<const std::string&>())) {
        return value.get<std::string>();
    }
    // JSON's scalars, and its empty list and object, are YAML.
    return dump(value, -1);
}

/// Block style. Appends after a key or a dash, so a scalar starts with a blank.
void append_yaml(const json& value, std::size_t indent, bool after_dash, std::string& out) {
    if (!value.is_structured() || value.empty()) {
        out += " " + yaml_scalar(value) + "\n";
        return;
    }
    const std::string margin(indent, ' ');
    bool is_first = true;
    if (!after_dash) out += "\n";
    for (const auto& [key, member] : value.items()) {
        // What follows a dash starts on the dash's line.
        out += is_first && after_dash ? " " : margin;
        out += value.is_array() ? "-" : yaml_scalar(key) + ":";
        append_yaml(member, indent + 2, value.is_array(), out);
        is_first = false;
    }
}

}  // namespace

std::string dump(const json& value, int indent) {
    return value.dump(indent, ' ', true, json::error_handler_t::replace);
}

std::string text_of(const json& value, OutputFormat format) {
    if (format == OutputFormat::json) return dump(value, 2) + "\n";
    std::string out = "---";
    append_yaml(value, 0, false, out);
    return out;
}

json document(const char* kind) {
    return {{"apiVersion", kApiVersion}, {"kind", kind}};
}

}  // namespace cmk
