// SPDX-License-Identifier: Apache-2.0
#include "confdir/json_writer.h"

#include <cstdio>

namespace cmk {

namespace {

struct Character {
    std::uint32_t code = 0;
    std::size_t size = 1;  ///< bytes it takes
};

/// Python reads file names so that a byte which is no UTF-8 becomes the surrogate 0xdc00 + byte.
Character undecodable(unsigned char byte) {
    return {0xdc00U + byte, 1};
}

/// The first character of a text that is not empty.
Character decode(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead < 0x80) return {lead, 1};
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return undecodable(lead);
    std::uint32_t code = lead & (0xffU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xc0U) != 0x80U) return undecodable(lead);
        code = code << 6 | (byte & 0x3fU);
    }
    const std::uint32_t least = size == 4 ? 0x10000 : size == 3 ? 0x800 : 0x80;
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    if (code < least || code > 0x10ffff || surrogate) return undecodable(lead);
    return {code, size};
}

void append_escape(std::string& out, std::uint32_t code) {
    if (code >= 0x10000) {
        append_escape(out, 0xd800 + ((code - 0x10000) >> 10));
        append_escape(out, 0xdc00 + ((code - 0x10000) & 0x3ff));
        return;
    }
    char text[8];
    std::snprintf(text, sizeof text, "\\u%04x", code);
    out += text;
}

void append_character(std::string& out, std::uint32_t code) {
    switch (code) {
        case '"': out += "\\\""; return;
        case '\\': out += "\\\\"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        case '\f': out += "\\f"; return;
        case '\b': out += "\\b"; return;
        default: break;
    }
    if (code >= ' ' && code <= '~') {
        out += static_cast<char>(code);
    } else {
        append_escape(out, code);
    }
}

}  // namespace

std::string json_string(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const Character character = decode(text);
        append_character(out, character.code);
        text.remove_prefix(character.size);
    }
    return out + "\"";
}

void JsonWriter::new_line() {
    text_ += "\n" + std::string(std::size_t{2} * depth_, ' ');
}

/// Goes to where the next key or value stands.
void JsonWriter::next() {
    if (after_key_) {
        after_key_ = false;
        return;
    }
    if (!first_) text_ += ',';
    if (depth_ > 0) new_line();
    first_ = false;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    next();
    text_ += json_string(name) + ": ";
    after_key_ = true;
    return *this;
}

JsonWriter& JsonWriter::raw(std::string_view text) {
    next();
    text_ += text;
    return *this;
}

JsonWriter& JsonWriter::begin(char bracket) {
    next();
    text_ += bracket;
    ++depth_;
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
    --depth_;
    if (!first_) new_line();
    text_ += bracket;
    first_ = false;
    return *this;
}

}  // namespace cmk
