// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "base/metrics_text.h"

namespace cmk {

/// Counts durations by how long they were. `Count` is std::uint64_t, or an atomic one where several
/// threads count.
template <typename Count, std::size_t N>
class DurationHistogram {
public:
    /// The longest duration of each bucket, in ascending order.
    using Bounds = std::array<std::chrono::nanoseconds, N>;

    explicit DurationHistogram(const Bounds& bounds) : bounds_(bounds) {}

    void count(std::chrono::nanoseconds took) {
        const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), took);
        ++counts_[static_cast<std::size_t>(at - bounds_.begin())];
        nanoseconds_ += static_cast<std::uint64_t>(took.count());
    }

    void write(MetricsText& text, std::string_view name, std::string_view help) const {
        std::vector<DurationBucket> buckets;
        for (std::size_t i = 0; i < N; ++i) {
            buckets.push_back({std::chrono::duration<double>(bounds_[i]).count(),
                               static_cast<double>(std::uint64_t{counts_[i]})});
        }
        text.histogram(name, help, buckets, static_cast<double>(std::uint64_t{counts_[N]}),
                       static_cast<double>(std::uint64_t{nanoseconds_}) / 1e9);
    }

private:
    Bounds bounds_;
    std::array<Count, N + 1> counts_{};
    Count nanoseconds_{0};
};

}  // namespace cmk
