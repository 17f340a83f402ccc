// SPDX-License-Identifier: Apache-2.0
#include "cli/markup.h"

#include "base/text.h"
#include "cli/display_text.h"

namespace cmk {

namespace {

/// Line ends are ours; printable() would hide them.
std::string shown(std::string_view text) {
    std::vector<std::string> lines;
    for (const std::string_view line : split(text, '\n'))
        lines.push_back(printable(line, true));
    return join(lines, "\n");
}

}  // namespace

std::string escape_xml(std::string_view text) {
    std::string out;
    for (const char c : shown(text)) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    }
    return out;
}

void Markup::open(std::string_view name, const Attributes& attributes) {
    out_ += std::string(open_.size(), ' ') + "<" + std::string(name);
    for (const auto& [key, value] : attributes)
        out_ += " " + std::string(key) + "=\"" + escape_xml(value) + "\"";
}

void Markup::begin(std::string_view name, const Attributes& attributes) {
    open(name, attributes);
    out_ += ">\n";
    open_.emplace_back(name);
}

void Markup::end() {
    const std::string name = std::move(open_.back());
    open_.pop_back();
    out_ += std::string(open_.size(), ' ') + "</" + name + ">\n";
}

void Markup::add(std::string_view name, const Attributes& attributes) {
    open(name, attributes);
    out_ += "/>\n";
}

void Markup::add(std::string_view name, const Attributes& attributes, std::string_view text) {
    open(name, attributes);
    out_ += ">" + escape_xml(text) + "</" + std::string(name) + ">\n";
}

}  // namespace cmk
