// SPDX-License-Identifier: Apache-2.0
#include "cli/sentences.h"

#include <algorithm>

#include "cli/display_text.h"
#include "cli/table.h"

namespace cmk {

namespace {

std::size_t text_width(const OutputStyle& style) {
    return style.format == OutputFormat::wide ? SIZE_MAX : style.width;
}

}  // namespace

std::string sentences(const std::string& lead, const std::vector<std::string>& texts,
                      const OutputStyle& style) {
    std::string out;
    for (const std::string& text : texts) {
        std::string margin = lead;
        const std::size_t width = text_width(style);
        for (const std::string& line :
             fold(printable(text, style.unicode), width - std::min(width / 2, lead.size()))) {
            out += margin + line + "\n";
            margin.assign(lead.size(), ' ');
        }
    }
    return out;
}

}  // namespace cmk
