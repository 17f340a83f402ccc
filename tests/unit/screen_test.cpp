// SPDX-License-Identifier: Apache-2.0
#include "cli/screen.h"

#include <gtest/gtest.h>

namespace cmk {
namespace {

TEST(Screen, CutsWhatHasNoRoomAndSaysSo) {
    EXPECT_EQ(cut_to("a\nb\nc\n", 3), "a\nb\nc\n");
    EXPECT_EQ(cut_to("a\nb\nc\n", 2), "a\n... 2 more lines\n");
    EXPECT_EQ(cut_to("a\nb\nc\n", 1), "... 3 more lines\n");
    EXPECT_EQ(cut_to("", 5), "");
}

}  // namespace
}  // namespace cmk
