// SPDX-License-Identifier: Apache-2.0
#include "k8s/pace.h"

#include <gtest/gtest.h>

namespace cmk::k8s {
namespace {

using std::chrono::seconds;

const TimePoint kStart{std::chrono::hours(1)};

TEST(Pace, WritesTheFirstAtOnceThenOnceInAnInterval) {
    Pace pace(seconds(10));
    EXPECT_LE(pace.due(false), kStart);
    pace.wrote(kStart, false);
    EXPECT_EQ(pace.due(false), kStart + seconds(10));
}

TEST(Pace, RepairsAtOnceButNotWithoutEnd) {
    Pace pace(seconds(10));
    TimePoint now = kStart;
    pace.wrote(now, false);
    for (int i = 0; i < 5; ++i) {
        now += seconds(1);
        EXPECT_LE(pace.due(true), now) << i;
        pace.wrote(now, true);
    }
    EXPECT_EQ(pace.due(true), now + seconds(10)) << "two writers that do not agree";
    now += seconds(70);
    EXPECT_LE(pace.due(true), now);
    pace.wrote(now, true);
    EXPECT_LE(pace.due(true), now) << "a new minute";
}

TEST(Backoff, DoublesUpToAMinuteWithJitter) {
    double random = 0;
    Backoff backoff([&random] { return random; });
    const int expected[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
    for (const int milliseconds : expected)
        EXPECT_EQ(backoff.next({}), Duration(std::chrono::milliseconds(milliseconds)));
    random = 0.999;
    EXPECT_GT(backoff.next({}), seconds(59));
    EXPECT_LE(backoff.next({}), seconds(60));
    backoff.succeeded();
    EXPECT_LT(backoff.next({}), seconds(1));
}

TEST(Backoff, NeverUndercutsRetryAfterButBoundsIt) {
    Backoff backoff([] { return 0.0; });
    EXPECT_EQ(backoff.next(seconds(30)), Duration(seconds(30)));
    EXPECT_EQ(backoff.next(seconds(1'000'000)), Duration(seconds(300)));
}

TEST(Spread, StaysAroundTheMean) {
    EXPECT_EQ(spread_around(seconds(300), 0.2, 0.0), Duration(seconds(240)));
    EXPECT_EQ(spread_around(seconds(300), 0.2, 0.5), Duration(seconds(300)));
    EXPECT_LT(spread_around(seconds(300), 0.2, 0.999), Duration(seconds(360)));
}

}  // namespace
}  // namespace cmk::k8s
