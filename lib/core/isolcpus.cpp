// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include "base/text.h"
#include "core/pool_planner.h"

namespace cmk {

namespace {

constexpr std::string_view kParameter = "isolcpus=";
constexpr std::array<std::string_view, 3> kFlags{"nohz", "domain", "managed_irq"};

/// Of first-last, of every `group` CPUs the first `used`.
struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t used = 1;
    std::uint64_t group = 1;
};

bool is_blank(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}

/// Words as the kernel splits them: double quotes protect blanks and are not part of the word.
std::vector<std::string> split_words(std::string_view cmdline) {
    std::vector<std::string> words(1);
    bool quoted = false;
    for (const char c : cmdline) {
        if (c == '"') {
            quoted = !quoted;
        } else if (is_blank(c) && !quoted) {
            words.emplace_back();
        } else {
            words.back() += c;
        }
    }
    return words;
}

bool is_all(std::string_view text) {
    constexpr std::string_view kAll = "all";
    return std::equal(text.begin(), text.end(), kAll.begin(), kAll.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == b;
    });
}

bool is_flag(std::string_view piece) {
    return std::find(kFlags.begin(), kFlags.end(), piece) != kFlags.end();
}

std::optional<std::uint64_t> parse_id(std::string_view text, unsigned last_cpu) {
    if (text == "N") return last_cpu;
    return parse_unsigned(text, UINT32_MAX);
}

Error piece_error(std::string_view value, std::string_view piece, const std::string& why) {
    return make_error(Errc::invalid_argument,
                      "bad kernel parameter isolcpus=" + quote(value) + ": " + why + " in " +
                          quote(piece) + "; correct the boot loader's kernel command line");
}

Status parse_stride(std::string_view value, std::string_view piece, std::string_view stride,
                    unsigned last_cpu, Range& range) {
    const std::size_t slash = stride.find('/');
    const auto used = parse_id(stride.substr(0, slash), last_cpu);
    const auto group = slash == std::string_view::npos
                           ? std::nullopt
                           : parse_id(stride.substr(slash + 1), last_cpu);
    if (!used || !group || *group == 0 || *used > *group) {
        return piece_error(value, piece, "expected :USED/GROUP with USED <= GROUP");
    }
    range.used = *used;
    range.group = *group;
    return {};
}

Result<Range> parse_range(std::string_view value, std::string_view piece, unsigned last_cpu) {
    const std::size_t colon = piece.find(':');
    const std::string_view ids = piece.substr(0, colon);
    const std::size_t dash = ids.find('-');
    const bool all = is_all(ids);
    const bool single = !all && dash == std::string_view::npos;
    const auto first = all ? 0 : parse_id(ids.substr(0, dash), last_cpu);
    const auto last = all ? last_cpu : single ? first : parse_id(ids.substr(dash + 1), last_cpu);
    if (!first || !last) {
        return piece_error(value, piece,
                           "expected CPU ids, ranges, or first one of the flags nohz, domain, "
                           "managed_irq");
    }
    // "40-N" on a smaller machine names only CPUs that are not there; that is no mistake.
    const bool open = ids.substr(std::min(dash, ids.size() - 1) + 1) == "N";
    if (*first > *last && !open) return piece_error(value, piece, "range runs backwards");
    Range range{*first, *last, 1, 1};
    if (colon == std::string_view::npos) return range;
    if (single) return piece_error(value, piece, "a stride needs a range before it");
    CMK_TRY(parse_stride(value, piece, piece.substr(colon + 1), last_cpu, range));
    return range;
}

/// The kernel takes commas and blanks, also several, as separators.
std::vector<std::string_view> split_pieces(std::string_view value) {
    std::vector<std::string_view> pieces;
    for (const std::string_view part : split(value, ',')) {
        std::size_t start = 0;
        for (std::size_t i = 0; i <= part.size(); ++i) {
            if (i < part.size() && !is_blank(part[i])) continue;
            if (i > start) pieces.push_back(part.substr(start, i - start));
            start = i + 1;
        }
    }
    return pieces;
}

Status add_value(std::string_view value, unsigned last_cpu, CpuSet& cpus) {
    bool in_flags = true;
    for (const std::string_view piece : split_pieces(value)) {
        if (in_flags && is_flag(piece)) continue;
        in_flags = false;
        CMK_TRY_ASSIGN(const Range range, parse_range(value, piece, last_cpu));
        const std::uint64_t end =
            std::min<std::uint64_t>(range.last, std::min(last_cpu, kMaxCpus - 1));
        for (std::uint64_t cpu = range.first; cpu <= end; ++cpu) {
            if ((cpu - range.first) % range.group < range.used)
                cpus.add(static_cast<unsigned>(cpu));
        }
    }
    return {};
}

}  // namespace

Result<CpuSet> parse_isolcpus(std::string_view cmdline, unsigned last_cpu) {
    CpuSet cpus;
    for (const std::string_view word : split_words(cmdline)) {
        if (word == "--") break;  // what follows is for init, not for the kernel
        if (word.substr(0, kParameter.size()) != kParameter) continue;
        CMK_TRY(add_value(word.substr(kParameter.size()), last_cpu, cpus));
    }
    return cpus;
}

}  // namespace cmk
