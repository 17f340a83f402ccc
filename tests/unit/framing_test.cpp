// SPDX-License-Identifier: Apache-2.0
#include "ipc/framing.h"

#include <gtest/gtest.h>

namespace cmk {
namespace {

using namespace std::string_literals;

TEST(Framing, AMessageMayComeInPieces) {
    MessageBuffer buffer(10);
    for (const char byte : "hello"s) {
        ASSERT_TRUE(buffer.feed({&byte, 1}));
        EXPECT_FALSE(buffer.take());
        EXPECT_TRUE(buffer.has_partial());
    }
    ASSERT_TRUE(buffer.feed("\0"s));
    EXPECT_EQ(buffer.take(), "hello");
    EXPECT_FALSE(buffer.has_partial());
    EXPECT_FALSE(buffer.take());
}

TEST(Framing, SeveralMessagesMayComeAtOnce) {
    MessageBuffer buffer(10);
    EXPECT_FALSE(buffer.has_message());
    ASSERT_TRUE(buffer.feed("one\0two\0thr"s));
    EXPECT_TRUE(buffer.has_message());
    EXPECT_EQ(buffer.take(), "one");
    EXPECT_TRUE(buffer.has_message());
    EXPECT_EQ(buffer.take(), "two");
    EXPECT_FALSE(buffer.has_message());
    EXPECT_FALSE(buffer.take());
    EXPECT_TRUE(buffer.has_partial());
    ASSERT_TRUE(buffer.feed("ee\0"s));
    EXPECT_EQ(buffer.take(), "three");
}

TEST(Framing, AnEmptyMessageIsAMessage) {
    MessageBuffer buffer(10);
    ASSERT_TRUE(buffer.feed("\0\0a\0"s));
    EXPECT_EQ(buffer.take(), "");
    EXPECT_EQ(buffer.take(), "");
    EXPECT_EQ(buffer.take(), "a");
    EXPECT_FALSE(buffer.take());
}

TEST(Framing, NothingFedIsNothing) {
    MessageBuffer buffer(0);
    EXPECT_TRUE(buffer.feed(""));
    EXPECT_FALSE(buffer.take());
    EXPECT_FALSE(buffer.has_partial());
    EXPECT_TRUE(buffer.feed("\0"s));
    EXPECT_EQ(buffer.take(), "");
}

TEST(Framing, TheLongestMessageFitsAndOneByteMoreDoesNot) {
    MessageBuffer fits(4);
    EXPECT_TRUE(fits.feed("four"));
    EXPECT_TRUE(fits.feed("\0"s));
    EXPECT_EQ(fits.take(), "four");
    MessageBuffer whole(4);
    EXPECT_FALSE(whole.feed("fives\0"s));
    EXPECT_FALSE(whole.take());
    MessageBuffer grows(4);
    EXPECT_TRUE(grows.feed("four"));
    EXPECT_FALSE(grows.feed("s"));
    EXPECT_FALSE(grows.take());
}

TEST(Framing, ALongMessageBehindAShortOneIsFoundAfterIt) {
    MessageBuffer buffer(4);
    ASSERT_TRUE(buffer.feed("a\0fives"s));
    EXPECT_EQ(buffer.take(), "a");
    EXPECT_FALSE(buffer.take());
    EXPECT_TRUE(buffer.is_full());
    EXPECT_FALSE(buffer.feed("\0"s));
    EXPECT_FALSE(buffer.take());
}

TEST(Framing, ManyShortMessagesMayBeHeldUntilTheyAreTaken) {
    MessageBuffer buffer(4);
    ASSERT_TRUE(buffer.feed("one\0two\0three"s));
    EXPECT_TRUE(buffer.is_full());
    EXPECT_EQ(buffer.take(), "one");
    EXPECT_EQ(buffer.take(), "two");
    EXPECT_TRUE(buffer.is_full());
    EXPECT_FALSE(buffer.take());
}

}  // namespace
}  // namespace cmk
