// SPDX-License-Identifier: Apache-2.0
#include "k8s/quantity.h"

#include <gtest/gtest.h>

#include <string>

namespace cmk::k8s {
namespace {

TEST(WebhookQuantity, WholeNumbersInEveryForm) {
    const std::pair<const char*, std::uint64_t> cases[] = {
        {"0", 0},
        {"2", 2},
        {"+2", 2},
        {"-0", 0},
        {"007", 7},
        {"1k", 1000},
        {"3M", 3'000'000},
        {"1e3", 1000},
        {"1E3", 1000},
        {"1e+3", 1000},
        {"20e-1", 2},
        {"1000m", 1},
        {"3000000u", 3},
        {"5000000000n", 5},
        {"0.5k", 500},
        {"1.", 1},
        {".5k", 500},
        {"1Ki", 1024},
        {"0.5Ki", 512},
        {"0.125Ki", 128},
        {"1.50k", 1500},
        {"2.000", 2},
        {"0m", 0},
        {"0e99999999999999999999", 0},
        {"1E", 1'000'000'000'000'000'000},
        {"9223372036854775807", 9223372036854775807ULL},
        {"9223372036854775.807k", 9223372036854775807ULL},
        {"7Ei", 7ULL << 60},
    };
    for (const auto& [text, expected] : cases) {
        const auto value = parse_quantity(text);
        ASSERT_TRUE(value) << text << ": " << value.error().message;
        EXPECT_EQ(*value, expected) << text;
    }
}

TEST(WebhookQuantity, WhatServersRefuseIsRefused) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "not a quantity"},
        {" 1", "not a quantity"},
        {"1 ", "not a quantity"},
        {"one", "not a quantity"},
        {"1K", "not a quantity"},
        {"1ki", "not a quantity"},
        {"1e", "not a quantity"},
        {"1e-", "not a quantity"},
        {"1e1.5", "not a quantity"},
        {"--1", "not a quantity"},
        {".", "not a quantity"},
        {"1,5", "not a quantity"},
        {"0x10", "not a quantity"},
        {"1Em", "not a quantity"},
        {"-1", "negative"},
        {"-1m", "negative"},
        {"500m", "whole"},
        {"1500m", "whole"},
        {"0.1", "whole"},
        {"1n", "whole"},
        {"0.1Ki", "whole"},
        {"1e-99999999999999999999", "whole"},
        {"9223372036854775808", "too large"},
        {"8Ei", "too large"},
        {"10E", "too large"},
        {"1e99999999999999999999", "too large"},
        {"123456789012345678901", "too many digits"},
    };
    for (const auto& [text, why] : cases) {
        const auto value = parse_quantity(text);
        ASSERT_FALSE(value) << text << " is " << *value;
        EXPECT_NE(value.error().message.find(why), std::string::npos) << value.error().message;
        EXPECT_EQ(value.error().code, Errc::invalid_argument);
    }
}

}  // namespace
}  // namespace cmk::k8s
