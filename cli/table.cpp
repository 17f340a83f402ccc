// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include <algorithm>
#include <numeric>

#include "cli/display_text.h"

namespace cmk {

namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 8;

std::string aligned(const std::string& text, std::size_t width, bool right) {
    const std::size_t used = columns_of(text);
    const std::string fill(width > used ? width - used : 0, ' ');
    return right ? fill + text : text + fill;
}

void end_line(std::string& out) {
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
}

}  // namespace

std::vector<std::string> fold(std::string_view text, std::size_t width) {
    std::vector<std::string> pieces;
    while (columns_of(text) > width) {
        std::string_view head = head_of(text, std::max<std::size_t>(width, 2));
        const std::size_t cut = head.find_last_of(", ");
        if (cut != std::string_view::npos && cut > 0) head = head.substr(0, cut + 1);
        pieces.emplace_back(head.substr(0, head.find_last_not_of(' ') + 1));
        text.remove_prefix(head.size());
    }
    pieces.emplace_back(text);
    return pieces;
}

std::string painted(const std::string& text, const Paint& paint) {
    return paint.empty() || text.empty() ? text : "\x1b[" + paint + "m" + text + "\x1b[0m";
}

Table::Widths Table::widths(std::size_t max_width) const {
    Widths widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::size_t width = columns_[i].title.size();
        for (const auto& row : rows_)
            width = std::max(width, columns_of(row[i].text));
        widths.push_back(width);
    }
    const std::size_t gaps = kGap * (columns_.size() - 1);
    std::size_t total = std::accumulate(widths.begin(), widths.end(), gaps);
    for (std::size_t i = 0; i < columns_.size() && max_width > 0 && total > max_width; ++i) {
        const std::size_t least = std::max(kNarrowest, columns_[i].title.size());
        if (!columns_[i].is_flexible || widths[i] <= least) continue;
        const std::size_t less = std::min(widths[i] - least, total - max_width);
        widths[i] -= less;
        total -= less;
    }
    return widths;
}

void Table::write_header(std::string& out, const Widths& width, bool color) const {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        out +=
            painted(aligned(columns_[i].title, width[i], columns_[i].is_number), color ? "2" : "");
        out += std::string(i + 1 < columns_.size() ? kGap : 0, ' ');
    }
    end_line(out);
}

void Table::write_row(std::string& out, const std::vector<Cell>& row, const Widths& width,
                      bool color) const {
    std::vector<std::vector<std::string>> pieces;
    std::size_t lines = 1;
    for (std::size_t i = 0; i < row.size(); ++i) {
        pieces.push_back(fold(row[i].text, width[i]));
        lines = std::max(lines, pieces.back().size());
    }
    for (std::size_t line = 0; line < lines; ++line) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string piece = line < pieces[i].size() ? pieces[i][line] : "";
            const std::string cell = aligned(piece, width[i], columns_[i].is_number);
            out += piece.empty() ? cell : painted(cell, color ? row[i].paint : "");
            out += std::string(i + 1 < row.size() ? kGap : 0, ' ');
        }
        end_line(out);
    }
}

std::string Table::text(std::size_t max_width, bool color) const {
    const Widths width = widths(max_width);
    std::string out;
    write_header(out, width, color);
    for (const auto& row : rows_)
        write_row(out, row, width, color);
    return out;
}

}  // namespace cmk
