// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cmk {

/// ANSI attributes of a cell ("1;32"); "" for none.
using Paint = std::string;

/// `text` in a colour, or as it is when `paint` is empty.
std::string painted(const std::string& text, const Paint& paint);

/// Cuts text into lines of at most `width` columns, preferably after a comma or a blank.
std::vector<std::string> fold(std::string_view text, std::size_t width);

/// Aligned text columns. Flexible columns give way, the leftmost first, when the table is wider
/// than the terminal: their cells go on in the next line, so nothing is lost.
class Table {
public:
    struct Column {
        std::string title;
        bool is_number = false;    ///< aligned to the right
        bool is_flexible = false;  ///< may be folded
    };
    struct Cell {
        std::string text = {};  ///< printable, see printable()
        Paint paint = {};
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
    /// As many cells as there are columns.
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    bool empty() const { return rows_.empty(); }

    /// Lines without blanks at the end. `max_width` 0: never fold.
    std::string text(std::size_t max_width, bool color) const;

private:
    using Widths = std::vector<std::size_t>;

    Widths widths(std::size_t max_width) const;
    void write_header(std::string& out, const Widths& width, bool color) const;
    void write_row(std::string& out, const std::vector<Cell>& row, const Widths& width,
                   bool color) const;

    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace cmk
