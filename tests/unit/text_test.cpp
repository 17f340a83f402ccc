// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

namespace cmk {
namespace {

using Pieces = std::vector<std::string_view>;

TEST(ParseUnsigned, takes_whole_decimal_numbers_up_to_the_bound) {
    EXPECT_EQ(parse_unsigned("0"), 0U);
    EXPECT_EQ(parse_unsigned("007"), 7U);
    EXPECT_EQ(parse_unsigned("18446744073709551615"), UINT64_MAX);
    EXPECT_EQ(parse_unsigned("10", 10), 10U);
    EXPECT_EQ(parse_unsigned("11", 10), std::nullopt);
}

TEST(ParseUnsigned, refuses_everything_else) {
    for (const char* text :
         {"", " 1", "1 ", "+1", "-1", "0x1", "1.5", "two", "1\n", "18446744073709551616"}) {
        EXPECT_EQ(parse_unsigned(text), std::nullopt) << text;
    }
}

TEST(Trim, removes_blanks_and_line_ends_at_both_sides) {
    EXPECT_EQ(trim(" \t a b\r\n"), "a b");
    EXPECT_EQ(trim("\n"), "");
    EXPECT_EQ(trim(""), "");
}

TEST(Split, keeps_empty_pieces) {
    EXPECT_EQ(split("a,b,c", ','), (Pieces{"a", "b", "c"}));
    EXPECT_EQ(split(",a,", ','), (Pieces{"", "a", ""}));
    EXPECT_EQ(split("a", ','), (Pieces{"a"}));
    EXPECT_EQ(split("", ','), (Pieces{""}));
}

TEST(Join, puts_the_separator_between_pieces) {
    EXPECT_EQ(join({"a", "b", "a"}, ", "), "a, b, a");
    EXPECT_EQ(join({"a"}, ", "), "a");
    EXPECT_EQ(join({}, ", "), "");
}

TEST(Counted, picks_the_form_of_the_noun) {
    EXPECT_EQ(counted(0, "core", "cores"), "0 cores");
    EXPECT_EQ(counted(1, "core", "cores"), "1 core");
    EXPECT_EQ(counted(2, "core", "cores"), "2 cores");
}

TEST(Quote, keeps_a_callers_text_on_one_line) {
    EXPECT_EQ(quote("plain"), "\"plain\"");
    EXPECT_EQ(quote("a\nb\x1b[31m"), "\"a\\x0ab\\x1b[31m\"");
    EXPECT_EQ(quote("say \"hi\" \\"), "\"say \\x22hi\\x22 \\x5c\"");
    EXPECT_EQ(quote("\x7f"), "\"\\x7f\"");
    EXPECT_EQ(quote("caf\xc3\xa9"), "\"caf\xc3\xa9\"");
}

TEST(Quote, cuts_after_80_bytes) {
    EXPECT_EQ(quote(std::string(80, 'x')), "\"" + std::string(80, 'x') + "\"");
    EXPECT_EQ(quote(std::string(81, 'x')), "\"" + std::string(80, 'x') + "\"...");
}

TEST(IsSafeName, accepts_what_may_be_one_path_component) {
    for (const char* name : {"a", "exclusive", "A_b.c-9", "0"})
        EXPECT_TRUE(is_safe_name(name)) << name;
    EXPECT_TRUE(is_safe_name(std::string(64, 'x')));
}

TEST(IsSafeName, refuses_what_could_leave_the_directory_or_look_like_an_option) {
    for (const char* name : {"", ".", "..", ".hidden", "-rf", "a/b", "a b", "a\n", "caf\xc3\xa9"})
        EXPECT_FALSE(is_safe_name(name)) << name;
    EXPECT_FALSE(is_safe_name(std::string(65, 'x')));
    EXPECT_FALSE(is_safe_name(std::string_view("a\0b", 3)));
}

TEST(Fnv1a, gives_the_published_values) {
    EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325U);
    EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cU);
    EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8U);
}

}  // namespace
}  // namespace cmk
