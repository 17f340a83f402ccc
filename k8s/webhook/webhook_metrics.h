// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "base/duration_histogram.h"
#include "k8s/webhook/admission.h"

namespace cmk::k8s {

/// Counters since the start; may be used by several threads.
class WebhookMetrics {
public:
    using Count = std::atomic<std::uint64_t>;
    using Durations = DurationHistogram<Count, 8>;

    WebhookMetrics();

    void count_review(Outcome outcome, std::chrono::nanoseconds took);
    void count_reload(bool usable) { ++(usable ? reloads_ : failed_reloads_); }

    /// In Prometheus' text format (0.0.4). `not_after` is the certificate's end in seconds.
    std::string render(unsigned connections, std::int64_t not_after) const;

private:
    std::array<Count, 4> reviews_{};
    Durations durations_;
    Count reloads_ = 0;
    Count failed_reloads_ = 0;
};

}  // namespace cmk::k8s
