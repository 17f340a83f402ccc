// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace cmk {
namespace {

Result<int> parse_positive(int number) {
    if (number > 0) return number;
    return make_error(Errc::invalid_argument, "not positive");
}

Status check_positive(int number) {
    CMK_TRY(parse_positive(number));
    return {};
}

Result<int> add_positive(int a, int b) {
    CMK_TRY_ASSIGN(const int first, parse_positive(a));
    CMK_TRY_ASSIGN(const int second, parse_positive(b));
    return first + second;
}

TEST(Result, holds_a_value_or_an_error) {
    const Result<int> good = parse_positive(3);
    ASSERT_TRUE(good.has_value());
    EXPECT_EQ(*good, 3);
    const Result<int> bad = parse_positive(-1);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error().code, Errc::invalid_argument);
}

TEST(Result, moves_values_that_cannot_be_copied) {
    Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
    const std::unique_ptr<int> value = *std::move(result);
    EXPECT_EQ(*value, 5);
}

TEST(Result, of_an_error_like_type_keeps_both_sides_apart) {
    const Result<std::string> text = std::string("text");
    EXPECT_EQ(text->size(), 4U);
}

TEST(Status, is_success_unless_it_holds_an_error) {
    EXPECT_TRUE(Status());
    EXPECT_FALSE(Status(make_error(Errc::conflict, "x")));
}

TEST(Try, returns_the_first_error_to_the_caller) {
    EXPECT_TRUE(check_positive(1));
    EXPECT_EQ(check_positive(0).error().message, "not positive");
    EXPECT_EQ(*add_positive(1, 2), 3);
    EXPECT_FALSE(add_positive(1, 0));
    EXPECT_FALSE(add_positive(0, 1));
}

TEST(Error, gains_context_on_the_way_up_and_keeps_its_code) {
    const Error error = with_context(errno_error(ENOENT, "cannot open x"), "reading state");
    EXPECT_EQ(error.code, Errc::io);
    EXPECT_EQ(error.sys_errno, ENOENT);
    EXPECT_EQ(error.message, "reading state: cannot open x: No such file or directory");
}

TEST(ResultDeathTest, reading_the_missing_side_ends_the_program) {
    EXPECT_DEATH([]() noexcept { return *parse_positive(0); }(), "");
}

}  // namespace
}  // namespace cmk
