// SPDX-License-Identifier: Apache-2.0
#include "k8s/pace.h"

#include <algorithm>

namespace cmk::k8s {

namespace {

constexpr std::chrono::seconds kFirstWait{1};
constexpr std::chrono::seconds kLongestWait{60};
constexpr std::chrono::seconds kLongestAskedFor{300};

Duration scaled(Duration whole, double factor) {
    return std::chrono::duration_cast<Duration>(whole * factor);
}

}  // namespace

Duration spread_around(Duration mean, double part, double random) {
    return scaled(mean, 1.0 - part + 2.0 * part * random);
}

TimePoint Pace::due(bool is_repair) const {
    if (!last_) return {};
    const TimePoint next = *last_ + interval_;
    return is_repair && repairs_ < kMaxRepairs ? TimePoint{} : next;
}

void Pace::wrote(TimePoint now, bool is_repair) {
    last_ = now;
    if (now >= window_begin_ + kRepairWindow || repairs_ == 0) {
        window_begin_ = now;
        repairs_ = 0;
    }
    if (is_repair) ++repairs_;
}

Duration Backoff::next(std::optional<std::chrono::seconds> retry_after) {
    const unsigned doublings = std::min(failures_++, 6U);
    const Duration longest = std::min<Duration>(kFirstWait * (1U << doublings), kLongestWait);
    const Duration asked =
        std::min(retry_after.value_or(std::chrono::seconds(0)), kLongestAskedFor);
    return std::max(scaled(longest, 0.5 + 0.5 * random_()), asked + scaled(asked, 0.2 * random_()));
}

}  // namespace cmk::k8s
