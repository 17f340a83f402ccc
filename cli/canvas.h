// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/table.h"

namespace cmk {

/// A grid of characters with colours, each one column wide. Grows as it is written to.
class Canvas {
public:
    /// Writes UTF-8 text to the right of a position.
    void put(std::size_t x, std::size_t y, std::string_view text, const Paint& paint = {});
    /// `count` times the same character.
    void repeat(std::size_t x, std::size_t y, std::size_t count, std::string_view character,
                const Paint& paint = {});
    std::size_t height() const { return rows_.size(); }
    /// Lines without blanks at the end, each ending with a newline.
    std::string text(bool color) const;

private:
    struct Glyph {
        std::string character = " ";
        Paint paint = {};
    };
    Glyph& at(std::size_t x, std::size_t y);

    std::vector<std::vector<Glyph>> rows_;
};

}  // namespace cmk
