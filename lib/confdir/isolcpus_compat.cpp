// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/text.h"
#include "confdir/init_plan.h"

namespace cmk {

namespace {

constexpr std::string_view kParameter = "isolcpus=";

bool is_three_numbers(std::string_view piece) {
    const auto parts = split(piece, '-');
    return parts.size() == 3 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
               return parse_unsigned(part).has_value();
           });
}

/// The word as parse_isolcpus() shall see it.
std::string without_skipped(std::string_view word) {
    if (!word.starts_with(kParameter)) return std::string(word);
    const std::string_view value = word.substr(kParameter.size());
    if (value.find('=') != std::string_view::npos) return "";
    std::vector<std::string> kept;
    for (const std::string_view piece : split(value, ',')) {
        if (!is_three_numbers(piece)) kept.emplace_back(piece);
    }
    return std::string(kParameter) + join(kept, ",");
}

}  // namespace

Result<CpuSet> parse_isolcpus_as_original(std::string_view cmdline, unsigned last_cpu) {
    std::string kept;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= cmdline.size(); ++i) {
        const bool ends = i == cmdline.size() || cmdline[i] == ' ' || cmdline[i] == '\n';
        if (!ends) continue;
        kept += without_skipped(cmdline.substr(start, i - start));
        if (i < cmdline.size()) kept += cmdline[i];
        start = i + 1;
    }
    return parse_isolcpus(kept, last_cpu);
}

}  // namespace cmk
