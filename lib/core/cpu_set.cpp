// SPDX-License-Identifier: Apache-2.0
#include "core/cpu_set.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace cmk {

namespace {

/// Lists come from whoever can connect: one that names CPUs over and over takes too long to read.
constexpr std::size_t kMaxNamed = std::size_t{2} * kMaxCpus;

/// One piece of a cpulist: first-last, of every `group` CPUs the first `used`.
struct Range {
    unsigned first = 0;
    unsigned last = 0;
    unsigned used = 1;
    unsigned group = 1;
};

Error piece_error(std::string_view list, std::string_view piece, const std::string& why) {
    const auto at = static_cast<std::size_t>(piece.data() - list.data()) + 1;
    return make_error(Errc::invalid_argument, "bad cpulist " + quote(list) + ": " + why + " in " +
                                                  quote(piece) + " at character " +
                                                  std::to_string(at));
}

std::optional<unsigned> parse_id(std::string_view text, unsigned max) {
    const auto id = parse_unsigned(text, max);
    return id ? std::optional<unsigned>(static_cast<unsigned>(*id)) : std::nullopt;
}

/// The ":used/group" that may follow a range.
Status parse_stride(std::string_view list, std::string_view piece, std::string_view stride,
                    Range& range) {
    const auto parts = split(stride, '/');
    const auto used = parts.size() == 2 ? parse_id(parts[0], kMaxCpus) : std::nullopt;
    const auto group = parts.size() == 2 ? parse_id(parts[1], kMaxCpus) : std::nullopt;
    if (!used || !group || *used == 0 || *used > *group) {
        return piece_error(list, piece, "expected :USED/GROUP with 0 < USED <= GROUP");
    }
    range.used = *used;
    range.group = *group;
    return {};
}

Result<Range> parse_piece(std::string_view list, std::string_view piece) {
    Range range;
    const std::size_t colon = piece.find(':');
    const std::string_view ids = piece.substr(0, colon);
    const std::size_t dash = ids.find('-');
    const auto first = parse_id(ids.substr(0, dash), kMaxCpus - 1);
    const auto last =
        dash == std::string_view::npos ? first : parse_id(ids.substr(dash + 1), kMaxCpus - 1);
    if (!first || !last) {
        return piece_error(list, piece,
                           "expected CPU ids from 0 to " + std::to_string(kMaxCpus - 1));
    }
    if (*first > *last) return piece_error(list, piece, "range runs backwards");
    range.first = *first;
    range.last = *last;
    if (colon == std::string_view::npos) return range;
    if (dash == std::string_view::npos) {
        return piece_error(list, piece, "a stride needs a range before it");
    }
    CMK_TRY(parse_stride(list, piece, piece.substr(colon + 1), range));
    return range;
}

}  // namespace

CpuSet::CpuSet(std::initializer_list<unsigned> cpus) {
    for (const unsigned cpu : cpus)
        add(cpu);
}

Result<CpuSet> CpuSet::parse(std::string_view cpulist) {
    if (!cpulist.empty() && cpulist.back() == '\n') cpulist.remove_suffix(1);
    CpuSet set;
    if (cpulist.empty()) return set;
    std::size_t named = 0;
    for (const std::string_view piece : split(cpulist, ',')) {
        CMK_TRY_ASSIGN(const Range range, parse_piece(cpulist, piece));
        named += range.last - range.first + 1;
        if (named > kMaxNamed) return piece_error(cpulist, piece, "CPUs are named too often");
        for (unsigned group = range.first; group <= range.last; group += range.group) {
            const unsigned last = std::min(range.last, group + range.used - 1);
            for (unsigned cpu = group; cpu <= last; ++cpu)
                set.add(cpu);
        }
    }
    return set;
}

CpuSet CpuSet::first(unsigned count) {
    CpuSet set;
    for (unsigned cpu = 0; cpu < count; ++cpu)
        set.add(cpu);
    return set;
}

void CpuSet::add(unsigned cpu) {
    if (cpu >= kMaxCpus) return;
    if (cpu / 64 >= words_.size()) words_.resize(cpu / 64 + 1);
    words_[cpu / 64] |= std::uint64_t{1} << (cpu % 64);
}

void CpuSet::remove(unsigned cpu) {
    if (!contains(cpu)) return;
    words_[cpu / 64] &= ~(std::uint64_t{1} << (cpu % 64));
    normalize();
}

bool CpuSet::contains(unsigned cpu) const {
    return cpu / 64 < words_.size() && ((words_[cpu / 64] >> (cpu % 64)) & 1) != 0;
}

bool CpuSet::contains_all(const CpuSet& other) const {
    if (other.words_.size() > words_.size()) return false;
    for (std::size_t i = 0; i < other.words_.size(); ++i) {
        if ((other.words_[i] & ~words_[i]) != 0) return false;
    }
    return true;
}

bool CpuSet::intersects(const CpuSet& other) const {
    const std::size_t common = std::min(words_.size(), other.words_.size());
    for (std::size_t i = 0; i < common; ++i) {
        if ((words_[i] & other.words_[i]) != 0) return true;
    }
    return false;
}

std::size_t CpuSet::count() const {
    std::size_t total = 0;
    for (const std::uint64_t word : words_)
        total += static_cast<std::size_t>(std::popcount(word));
    return total;
}

unsigned CpuSet::lowest() const {
    std::size_t i = 0;
    while (words_[i] == 0)
        ++i;
    return static_cast<unsigned>(i * 64) + static_cast<unsigned>(std::countr_zero(words_[i]));
}

CpuSet& CpuSet::operator|=(const CpuSet& other) {
    words_.resize(std::max(words_.size(), other.words_.size()));
    for (std::size_t i = 0; i < other.words_.size(); ++i)
        words_[i] |= other.words_[i];
    return *this;
}

CpuSet& CpuSet::operator&=(const CpuSet& other) {
    words_.resize(std::min(words_.size(), other.words_.size()));
    for (std::size_t i = 0; i < words_.size(); ++i)
        words_[i] &= other.words_[i];
    normalize();
    return *this;
}

CpuSet& CpuSet::operator-=(const CpuSet& other) {
    const std::size_t common = std::min(words_.size(), other.words_.size());
    for (std::size_t i = 0; i < common; ++i)
        words_[i] &= ~other.words_[i];
    normalize();
    return *this;
}

std::vector<unsigned> CpuSet::to_vector() const {
    std::vector<unsigned> cpus;
    for_each([&](unsigned cpu) { cpus.push_back(cpu); });
    return cpus;
}

std::string CpuSet::to_cpulist() const {
    std::string list;
    const std::vector<unsigned> cpus = to_vector();
    for (std::size_t i = 0; i < cpus.size();) {
        std::size_t end = i;
        while (end + 1 < cpus.size() && cpus[end + 1] == cpus[end] + 1)
            ++end;
        if (!list.empty()) list += ',';
        list += std::to_string(cpus[i]);
        if (end > i) list += "-" + std::to_string(cpus[end]);
        i = end + 1;
    }
    return list;
}

std::string CpuSet::to_comma_list() const {
    std::string list;
    for_each([&](unsigned cpu) {
        if (!list.empty()) list += ',';
        list += std::to_string(cpu);
    });
    return list;
}

std::string CpuSet::to_mask() const {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string mask;
    for (std::size_t nibble = words_.size() * 16; nibble-- > 0;) {
        const auto digit = (words_[nibble / 16] >> (nibble % 16 * 4)) & 15;
        if (digit != 0 || !mask.empty()) mask += kHex[digit];
    }
    return mask.empty() ? "0" : mask;
}

void CpuSet::normalize() {
    while (!words_.empty() && words_.back() == 0)
        words_.pop_back();
}

}  // namespace cmk
