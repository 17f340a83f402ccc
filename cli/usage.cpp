// SPDX-License-Identifier: Apache-2.0
#include "cli/usage.h"

#include <algorithm>

namespace cmk {

namespace {

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
std::size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<std::vector<std::size_t>> cost(from.size() + 1,
                                               std::vector<std::size_t>(to.size() + 1));
    for (std::size_t i = 0; i <= from.size(); ++i) {
        for (std::size_t j = 0; j <= to.size(); ++j) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            const std::size_t differs = from[i - 1] == to[j - 1] ? 0 : 1;
            cost[i][j] =
                std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + differs});
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[from.size()][to.size()];
}

}  // namespace

std::string two_columns(const std::vector<std::pair<std::string, std::string>>& rows) {
    constexpr std::size_t kMaxLeft = 28;
    std::size_t left = 0;
    for (const auto& [name, text] : rows) {
        if (name.size() <= kMaxLeft) left = std::max(left, name.size());
    }
    std::string out;
    for (const auto& [name, text] : rows) {
        out += "  " + name;
        std::size_t at = name.size();
        if (at > left) {
            out += "\n  ";
            at = 0;
        }
        out += std::string(left - at + 2, ' ');
        for (const char c : text) {
            out += c;
            if (c == '\n') out += std::string(left + 4, ' ');
        }
        out += '\n';
    }
    return out;
}

std::string option_heading(const Option& option) {
    std::string heading = option.names;
    if (const auto comma = heading.find(','); comma != std::string::npos) {
        heading.insert(comma + 1, " ");
    }
    if (option.value.empty()) return heading;
    if (std::holds_alternative<FlagWithValue>(option.target)) {
        return heading + "[=" + option.value + "]";
    }
    return heading + " " + option.value;
}

std::string synopsis_of(const Syntax& syntax) {
    std::string out = "cmkctl " + syntax.verb + " [OPTION]...";
    if (!syntax.words.name.empty()) {
        out += syntax.words.is_program ? " [--] " : " ";
        out += syntax.words.required ? syntax.words.name : "[" + syntax.words.name + "]";
    }
    return out;
}

std::string usage_of(const Syntax& syntax) {
    std::string out = "Usage: " + synopsis_of(syntax) + "\n\n" + syntax.about + "\n";
    std::vector<std::pair<std::string, std::string>> rows;
    if (!syntax.words.name.empty()) {
        rows.emplace_back(syntax.words.name, syntax.words.help);
        out += "\nArguments:\n" + two_columns(rows);
        rows.clear();
    }
    for (const Option& option : syntax.options)
        rows.emplace_back(option_heading(option), option.help);
    rows.emplace_back("-h, --help", "show this help");
    out += "\nOptions:\n" + two_columns(rows);
    if (!syntax.examples.empty()) out += "\nExamples:\n" + syntax.examples;
    return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
    constexpr std::size_t kLongestSlip = 64;
    if (word.size() > kLongestSlip) return "";
    std::string best;
    // A third of the word wrong is still a slip.
    std::size_t best_cost = std::max<std::size_t>(word.size() / 3, 1) + 1;
    for (const std::string& candidate : candidates) {
        const bool is_beginning = word.size() >= 3 && candidate.size() > word.size() &&
                                  candidate.compare(0, word.size(), word) == 0;
        const std::size_t cost = is_beginning ? 1 : edit_distance(word, candidate);
        if (cost >= best_cost) continue;
        best = candidate;
        best_cost = cost;
    }
    return best;
}

}  // namespace cmk
