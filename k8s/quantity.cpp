// SPDX-License-Identifier: Apache-2.0
#include "k8s/quantity.h"

#include <algorithm>

#include "base/text.h"

namespace cmk::k8s {

namespace {

struct Suffix {
    std::string_view text;
    std::uint64_t factor;
};

constexpr Suffix kSuffixes[] = {{"", 1},
                                {"k", 1'000},
                                {"M", 1'000'000},
                                {"G", 1'000'000'000},
                                {"T", 1'000'000'000'000},
                                {"Ki", std::uint64_t{1} << 10},
                                {"Mi", std::uint64_t{1} << 20},
                                {"Gi", std::uint64_t{1} << 30},
                                {"Ti", std::uint64_t{1} << 40}};

std::optional<std::uint64_t> factor_of(std::string_view suffix) {
    for (const Suffix& each : kSuffixes) {
        if (each.text == suffix) return each.factor;
    }
    if (suffix.size() < 2 || (suffix[0] != 'e' && suffix[0] != 'E')) return std::nullopt;
    const auto exponent = parse_unsigned(suffix.substr(1), 12);
    if (!exponent) return std::nullopt;
    std::uint64_t factor = 1;
    for (std::uint64_t i = 0; i < *exponent; ++i)
        factor *= 10;
    return factor;
}

}  // namespace

std::optional<std::uint64_t> parse_quantity(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto factor = factor_of(text.substr(digits));
    if (!factor) return std::nullopt;
    const auto number = parse_unsigned(text.substr(0, digits), UINT64_MAX / *factor);
    if (!number) return std::nullopt;
    return *number * *factor;
}

}  // namespace cmk::k8s
