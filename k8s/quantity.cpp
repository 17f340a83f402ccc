// SPDX-License-Identifier: Apache-2.0
#include "k8s/quantity.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/text.h"

namespace cmk::k8s {

namespace {

constexpr std::uint64_t kMax = INT64_MAX;
/// Beyond it no number but 0 is whole and fits.
constexpr int kMaxExponent = 1000;

/// digits * 10^tens * 2^twos
struct Number {
    std::string digits;
    int tens = 0;
    unsigned twos = 0;
};

struct Suffix {
    std::string_view text;
    int tens = 0;
    unsigned twos = 0;
};

constexpr std::array<Suffix, 16> kSuffixes{{{"", 0, 0},
                                            {"n", -9, 0},
                                            {"u", -6, 0},
                                            {"m", -3, 0},
                                            {"k", 3, 0},
                                            {"M", 6, 0},
                                            {"G", 9, 0},
                                            {"T", 12, 0},
                                            {"P", 15, 0},
                                            {"E", 18, 0},
                                            {"Ki", 0, 10},
                                            {"Mi", 0, 20},
                                            {"Gi", 0, 30},
                                            {"Ti", 0, 40},
                                            {"Pi", 0, 50},
                                            {"Ei", 0, 60}}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string take_digits(std::string_view& text) {
    std::size_t length = 0;
    while (length < text.size() && is_digit(text[length]))
        ++length;
    std::string digits(text.substr(0, length));
    text.remove_prefix(length);
    return digits;
}

/// '-' or '+' at the beginning, taken off; true for '-'.
bool take_sign(std::string_view& text) {
    if (text.empty() || (text[0] != '-' && text[0] != '+')) return false;
    const bool negative = text[0] == '-';
    text.remove_prefix(1);
    return negative;
}

std::optional<int> exponent_of(std::string_view text) {
    const bool negative = take_sign(text);
    const auto number = parse_unsigned(text);
    if (!number && (text.empty() || text.find_first_not_of("0123456789") != text.npos)) return {};
    const int size = static_cast<int>(number && *number < kMaxExponent ? *number : kMaxExponent);
    return negative ? -size : size;
}

bool read_suffix(std::string_view text, Number& number) {
    for (const Suffix& suffix : kSuffixes) {
        if (suffix.text != text) continue;
        number.tens += suffix.tens;
        number.twos = suffix.twos;
        return true;
    }
    if (text[0] != 'e' && text[0] != 'E') return false;
    const auto exponent = exponent_of(text.substr(1));
    if (exponent) number.tens += *exponent;
    return exponent.has_value();
}

std::optional<Number> read_number(std::string_view text) {
    Number number{.digits = take_digits(text)};
    std::string fraction;
    if (!text.empty() && text[0] == '.') {
        text.remove_prefix(1);
        fraction = take_digits(text);
    }
    if (number.digits.empty() && fraction.empty()) return {};
    number.digits += fraction;
    number.tens = -static_cast<int>(fraction.size());
    if (!read_suffix(text, number)) return {};
    return number;
}

/// Moves the zeros at both ends of the digits out of them; none are left for 0.
void normalize(Number& number) {
    number.digits.erase(0, std::min(number.digits.find_first_not_of('0'), number.digits.size()));
    while (!number.digits.empty() && number.digits.back() == '0') {
        number.digits.pop_back();
        ++number.tens;
    }
}

/// Divides by 10 while the exponent is negative; false when a fraction would be left.
bool make_whole(std::uint64_t& value, Number& number) {
    for (; number.tens < 0; ++number.tens) {
        if (value % 5 != 0) return false;
        value /= 5;
        if (number.twos > 0) {
            --number.twos;
        } else if (value % 2 != 0) {
            return false;
        } else {
            value /= 2;
        }
    }
    return true;
}

bool multiply(std::uint64_t& value, std::uint64_t factor) {
    if (value > kMax / factor) return false;
    value *= factor;
    return true;
}

Error refuse(std::string_view text, const char* why) {
    return make_error(Errc::invalid_argument, quote(text) + " " + why);
}

}  // namespace

Result<std::uint64_t> parse_quantity(std::string_view text) {
    std::string_view rest = text;
    const bool negative = take_sign(rest);
    auto number = read_number(rest);
    if (!number) return refuse(text, "is not a quantity");
    normalize(*number);
    if (number->digits.empty()) return std::uint64_t{0};
    if (negative) return refuse(text, "is negative");
    const auto digits = parse_unsigned(number->digits);
    if (!digits) return refuse(text, "has too many digits");
    std::uint64_t value = *digits;
    if (!make_whole(value, *number)) return refuse(text, "is not a whole number");
    bool fits = value <= kMax;
    for (; fits && number->tens > 0; --number->tens)
        fits = multiply(value, 10);
    for (; fits && number->twos > 0; --number->twos)
        fits = multiply(value, 2);
    if (!fits) return refuse(text, "is too large");
    return value;
}

}  // namespace cmk::k8s
