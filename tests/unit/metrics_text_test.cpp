// SPDX-License-Identifier: Apache-2.0
#include "base/metrics_text.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/duration_histogram.h"

namespace cmk {
namespace {

using namespace std::chrono_literals;

TEST(MetricsText, WritesFamiliesWithTheirValues) {
    MetricsText text;
    text.family("a_total", "counter", "Things.");
    text.value(1);
    text.value(2, {{"x", "1"}, {"y", "two words"}});
    text.family("b", "gauge", "Others.");
    EXPECT_EQ(std::move(text).finish(),
              "# HELP a_total Things.\n# TYPE a_total counter\na_total 1\n"
              "a_total{x=\"1\",y=\"two words\"} 2\n# HELP b Others.\n# TYPE b gauge\n");
}

TEST(MetricsText, EscapesLabels) {
    MetricsText text;
    text.family("a", "gauge", "A.");
    text.value(1, {{"x", "a\"b\\c\nd"}});
    EXPECT_NE(std::move(text).finish().find("a{x=\"a\\\"b\\\\c\\nd\"} 1\n"), std::string::npos);
}

TEST(MetricsText, NumbersArePlainDigits) {
    const std::pair<double, const char*> rows[] = {{0, "0"},
                                                   {-1, "-1"},
                                                   {0.25, "0.25"},
                                                   {0.0001, "0.0001"},
                                                   {1700000000, "1700000000"},
                                                   {9007199254740991, "9007199254740991"}};
    for (const auto& [number, expected] : rows) {
        MetricsText text;
        text.family("a", "gauge", "A.");
        text.value(number);
        EXPECT_TRUE(std::move(text).finish().ends_with(std::string("\na ") + expected + "\n"))
            << expected;
    }
}

template <typename Count>
std::string counted() {
    DurationHistogram<Count, 2> histogram({1ms, 2500us});
    for (const auto took : {0us, 1000us, 1001us, 2500us, 2501us})
        histogram.count(took);
    MetricsText text;
    histogram.write(text, "a_seconds", "A.");
    return std::move(text).finish();
}

TEST(DurationHistogram, BucketsHaveTheirBoundsAndWhatIsBelow) {
    const std::string expected =
        "# HELP a_seconds A.\n# TYPE a_seconds histogram\n"
        "a_seconds_bucket{le=\"0.001\"} 2\na_seconds_bucket{le=\"0.0025\"} 4\n"
        "a_seconds_bucket{le=\"+Inf\"} 5\na_seconds_sum 0.007002\na_seconds_count 5\n";
    EXPECT_EQ(counted<std::uint64_t>(), expected);
    EXPECT_EQ(counted<std::atomic<std::uint64_t>>(), expected);
}

}  // namespace
}  // namespace cmk
