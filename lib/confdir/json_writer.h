// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cmk {

/// `text` as a JSON string, to the byte as Python's json.dumps() writes it: ASCII alone, other
/// characters as \uXXXX; a byte that is no UTF-8 becomes \udcXX.
std::string json_string(std::string_view text);

/// Writes JSON as Python's json.dumps(indent=2) does: ": " after a key, a line for each member and
/// element, "[]" and "{}" for what is empty. Keys are the caller's to sort.
class JsonWriter {
public:
    JsonWriter& begin_object() { return begin('{'); }
    JsonWriter& end_object() { return end('}'); }
    JsonWriter& begin_array() { return begin('['); }
    JsonWriter& end_array() { return end(']'); }
    JsonWriter& key(std::string_view name);
    JsonWriter& value(std::string_view text) { return raw(json_string(text)); }
    JsonWriter& value(const char* text) { return value(std::string_view(text)); }
    JsonWriter& value(bool truth) { return raw(truth ? "true" : "false"); }
    JsonWriter& value(std::int64_t number) { return raw(std::to_string(number)); }
    JsonWriter& null() { return raw("null"); }

    /// The whole text with a newline at its end.
    std::string finish() && { return std::move(text_) + "\n"; }

private:
    JsonWriter& begin(char bracket);
    JsonWriter& end(char bracket);
    JsonWriter& raw(std::string_view text);
    void next();
    void new_line();

    std::string text_;
    unsigned depth_ = 0;
    bool first_ = true;  // nothing yet in the innermost object or array
    bool after_key_ = false;
};

}  // namespace cmk
