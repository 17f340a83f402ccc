// SPDX-License-Identifier: Apache-2.0
#include "agent/wait_queue.h"

#include <gtest/gtest.h>

namespace cmk {
namespace {

IsolateOrder order(const std::string& pool) {
    IsolateOrder made;
    made.what.pool = pool;
    return made;
}

TEST(WaitQueue, ServesEachPoolInTheOrderOfArrival) {
    WaitQueue queue;
    const Ticket first = queue.push(Peer{}, order("a"), nullptr);
    const Ticket second = queue.push(Peer{}, order("b"), nullptr);
    const Ticket third = queue.push(Peer{}, order("a"), nullptr);
    EXPECT_EQ(queue.take_first("a")->ticket, first);
    EXPECT_EQ(queue.take_first("b")->ticket, second);
    EXPECT_EQ(queue.take_first("a")->ticket, third);
    EXPECT_FALSE(queue.take_first("a"));
}

TEST(WaitQueue, WhatIsPutBackComesFirstAgain) {
    WaitQueue queue;
    const Ticket first = queue.push(Peer{}, order("a"), nullptr);
    queue.push(Peer{}, order("a"), nullptr);
    queue.put_back(*queue.take_first("a"));
    EXPECT_EQ(queue.take_first("a")->ticket, first);
    EXPECT_EQ(queue.size(), 1U);
}

TEST(WaitQueue, TicketsAreNeverZeroAndNeverRepeat) {
    WaitQueue queue;
    const Ticket first = queue.push(Peer{}, order("a"), nullptr);
    ASSERT_TRUE(queue.take(first));
    const Ticket second = queue.push(Peer{}, order("a"), nullptr);
    EXPECT_NE(first, 0U);
    EXPECT_NE(first, second);
}

TEST(WaitQueue, TakesOnce) {
    WaitQueue queue;
    const Ticket ticket = queue.push(Peer{}, order("a"), nullptr);
    EXPECT_TRUE(queue.take(ticket));
    EXPECT_FALSE(queue.take(ticket));
    EXPECT_FALSE(queue.take(0));
    EXPECT_FALSE(queue.take_first("a"));
}

TEST(WaitQueue, CountsByPool) {
    WaitQueue queue;
    queue.push(Peer{}, order("a"), nullptr);
    queue.push(Peer{}, order("b"), nullptr);
    queue.push(Peer{}, order("a"), nullptr);
    EXPECT_EQ(queue.count("a"), 2U);
    EXPECT_EQ(queue.count("b"), 1U);
    EXPECT_EQ(queue.count("c"), 0U);
    EXPECT_EQ(queue.size(), 3U);
    EXPECT_EQ(queue.pools(), (std::set<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace cmk
