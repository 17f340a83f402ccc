// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/display_text.h"

namespace cmk {
namespace {

TEST(Table, AlignsColumns) {
    Table table({{"NAME"}, {"N", true}, {"REST"}});
    table.add({{"a"}, {"7"}, {"x"}});
    table.add({{"longer"}, {"123"}, {""}});
    EXPECT_EQ(table.text(80, false),
              "NAME      N  REST\n"
              "a         7  x\n"
              "longer  123\n");
}

TEST(Table, FoldsFlexibleColumnsAndLosesNothing) {
    Table table({{"POOL"}, {"CPUS", false, true}});
    table.add({{"one"}, {"0-3,8-11,16-19,24-27"}});
    EXPECT_EQ(table.text(16, false),
              "POOL  CPUS\n"
              "one   0-3,8-11,\n"
              "      16-19,\n"
              "      24-27\n");
    EXPECT_EQ(table.text(0, false), "POOL  CPUS\none   0-3,8-11,16-19,24-27\n");
}

TEST(Table, ColoursOnlyWhereWanted) {
    Table table({{"A"}});
    table.add({{"x", "32"}});
    EXPECT_EQ(table.text(80, false), "A\nx\n");
    EXPECT_EQ(table.text(80, true), "\x1b[2mA\x1b[0m\n\x1b[32mx\x1b[0m\n");
}

TEST(Fold, CutsAtBlanksElseAnywhere) {
    EXPECT_EQ(fold("a bb ccc", 5), (std::vector<std::string>{"a bb", "ccc"}));
    EXPECT_EQ(fold("abcdefg", 3), (std::vector<std::string>{"abc", "def", "g"}));
    EXPECT_EQ(fold("", 3), std::vector<std::string>{""});
}

TEST(DisplayText, ControlBytesBecomeQuestionMarks) {
    EXPECT_EQ(printable("a\x1b[2Jb\n\x7f", true), "a?[2Jb??");
    EXPECT_EQ(printable("\xc2\x9b"
                        "31m",
                        true),
              "?31m");  // C1 control
    EXPECT_EQ(printable("x\xe2\x80\xae"
                        "y",
                        true),
              "x?y");                                           // right-to-left override
    EXPECT_EQ(printable("\xff\xc3", true), "??");               // not UTF-8
    EXPECT_EQ(printable("\xc0\xaf\xed\xa0\x80", true), "???");  // overlong, surrogate
    EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f", true), "gr\xc3\xbc\xc3\x9f");
    EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f", false), "gr??");
}

TEST(DisplayText, CountsColumns) {
    EXPECT_EQ(columns_of("gr\xc3\xbc\xc3\x9f"), 4U);
    EXPECT_EQ(columns_of("\xe6\xbc\xa2"), 2U);
    EXPECT_EQ(head_of("a\xe6\xbc\xa2", 2), "a");
}

TEST(DisplayText, AgesAndTimes) {
    EXPECT_EQ(age_text(-5), "0s");
    EXPECT_EQ(age_text(119), "119s");
    EXPECT_EQ(age_text(300), "5m");
    EXPECT_EQ(age_text(3 * 3600), "3h");
    EXPECT_EQ(age_text(9 * 86400), "9d");
    EXPECT_EQ(time_text(0), "1970-01-01T00:00:00Z");
}

}  // namespace
}  // namespace cmk
