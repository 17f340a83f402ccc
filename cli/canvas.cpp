// SPDX-License-Identifier: Apache-2.0
#include "cli/canvas.h"

#include "cli/display_text.h"

namespace cmk {

Canvas::Glyph& Canvas::at(std::size_t x, std::size_t y) {
    if (y >= rows_.size()) rows_.resize(y + 1);
    if (x >= rows_[y].size()) rows_[y].resize(x + 1);
    return rows_[y][x];
}

void Canvas::put(std::size_t x, std::size_t y, std::string_view text, const Paint& paint) {
    while (!text.empty()) {
        const std::string_view character = head_of(text, 1);
        if (character.empty()) return;  // wider than a column: never written here
        at(x++, y) = {std::string(character), paint};
        text.remove_prefix(character.size());
    }
}

void Canvas::repeat(std::size_t x, std::size_t y, std::size_t count, std::string_view character,
                    const Paint& paint) {
    for (std::size_t i = 0; i < count; ++i)
        at(x + i, y) = {std::string(character), paint};
}

std::string Canvas::text(bool color) const {
    std::string out;
    for (const auto& row : rows_) {
        std::size_t end = row.size();
        while (end > 0 && row[end - 1].character == " " && (!color || row[end - 1].paint.empty())) {
            --end;
        }
        // Neighbours of one colour share an escape sequence.
        for (std::size_t x = 0; x < end;) {
            const Paint& paint = row[x].paint;
            std::string run;
            for (; x < end && row[x].paint == paint; ++x)
                run += row[x].character;
            out += color ? painted(run, paint) : run;
        }
        out += '\n';
    }
    return out;
}

}  // namespace cmk
