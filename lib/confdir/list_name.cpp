// SPDX-License-Identifier: Apache-2.0
#include "confdir/list_name.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace cmk {

namespace {

using Cores = std::vector<const Core*>;

std::string comma_name(const Cores& cores) {
    std::vector<std::string> pieces;
    for (const Core* core : cores)
        pieces.push_back(core->cpus.to_comma_list());
    return join(pieces, ",");
}

std::string range_name(const Cores& cores) {
    CpuSet cpus;
    for (const Core* core : cores)
        cpus |= core->cpus;
    return cpus.to_cpulist();
}

std::optional<std::string> one_name(const Cores& cores) {
    std::string name = comma_name(cores);
    if (name.size() > kMaxListName) name = range_name(cores);
    return name.size() <= kMaxListName ? std::optional(name) : std::nullopt;
}

/// `parts` neighbouring groups of equal size, the first ones a core larger.
std::optional<std::vector<std::string>> names_in_parts(const Cores& cores, std::size_t parts) {
    std::vector<std::string> names;
    auto from = cores.begin();
    for (std::size_t part = 0; part < parts; ++part) {
        const std::size_t size = cores.size() / parts + (part < cores.size() % parts ? 1 : 0);
        const auto to = from + static_cast<std::ptrdiff_t>(size);
        const auto name = one_name(Cores(from, to));
        if (!name) return std::nullopt;
        names.push_back(*name);
        from = to;
    }
    return names;
}

}  // namespace

std::vector<std::string> list_names(const Cores& cores) {
    // Ranges do not help where a socket has every second CPU.
    for (std::size_t parts = 1; parts <= cores.size(); ++parts) {
        if (auto names = names_in_parts(cores, parts)) return *std::move(names);
    }
    return {};
}

Result<std::vector<unsigned>> parse_list_name(std::string_view name) {
    if (name.find_first_of(":\n") != std::string_view::npos) {
        return make_error(Errc::invalid_argument, "bad CPU list " + quote(name) +
                                                      ": expected CPU ids and ranges such as 0,8 "
                                                      "or 0-3");
    }
    CMK_TRY(CpuSet::parse(name));  // for its message, and it bounds the number of CPUs
    std::vector<unsigned> cpus;
    if (name.empty()) return cpus;
    for (const std::string_view piece : split(name, ',')) {
        CMK_TRY_ASSIGN(const CpuSet set, CpuSet::parse(piece));
        set.for_each([&](unsigned cpu) { cpus.push_back(cpu); });
    }
    return cpus;
}

}  // namespace cmk
