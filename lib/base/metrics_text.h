// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cmk {

/// A label's name and its value, which is escaped when it is written.
using MetricLabels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// How many durations were at most so long; without those of the bucket before.
struct DurationBucket {
    double seconds = 0;
    double count = 0;
};

/// Writes metrics as Prometheus reads them (text format 0.0.4), one family after the other.
class MetricsText {
public:
    /// Begins a family, whose values follow. `type`: "counter", "gauge".
    void family(std::string_view name, std::string_view type, std::string_view help);
    /// A value of the family that was begun last.
    void value(double number, MetricLabels labels = {});
    /// A family of type histogram. `longer`: those beyond the last bucket.
    void histogram(std::string_view name, std::string_view help,
                   const std::vector<DurationBucket>& buckets, double longer, double seconds);

    std::string finish() && { return std::move(text_); }

private:
    void line(std::string_view suffix, double number, MetricLabels labels);

    std::string name_;
    std::string text_;
};

}  // namespace cmk
