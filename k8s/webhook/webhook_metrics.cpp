// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/webhook_metrics.h"

namespace cmk::k8s {

namespace {

struct Bucket {
    const char* seconds;
    std::int64_t nanoseconds;
};

constexpr std::array<Bucket, 8> kBuckets{{{"0.0001", 100'000},
                                          {"0.00025", 250'000},
                                          {"0.0005", 500'000},
                                          {"0.001", 1'000'000},
                                          {"0.0025", 2'500'000},
                                          {"0.01", 10'000'000},
                                          {"0.05", 50'000'000},
                                          {"0.25", 250'000'000}}};
constexpr std::array<const char*, 4> kOutcomes{"unchanged", "mutated", "warned", "refused"};

void begin(std::string& text, const std::string& name, const char* type, const char* help) {
    text += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

void line(std::string& text, const std::string& name, std::uint64_t value) {
    text += name + " " + std::to_string(value) + "\n";
}

}  // namespace

void WebhookMetrics::count_review(Outcome outcome, std::chrono::nanoseconds took) {
    ++reviews_[static_cast<std::size_t>(outcome)];
    nanoseconds_ += static_cast<std::uint64_t>(took.count());
    for (std::size_t i = 0; i < kBuckets.size(); ++i) {
        if (took.count() <= kBuckets[i].nanoseconds) ++buckets_[i];
    }
}

std::string WebhookMetrics::render(unsigned connections, std::int64_t not_after) const {
    std::string text;
    begin(text, "cmk_webhook_reviews_total", "counter", "Admission reviews answered.");
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
        const std::uint64_t count = reviews_[i];
        all += count;
        line(text, std::string("cmk_webhook_reviews_total{outcome=\"") + kOutcomes[i] + "\"}",
             count);
    }
    const std::string duration = "cmk_webhook_review_duration_seconds";
    begin(text, duration, "histogram", "Time from the whole request to its answer.");
    for (std::size_t i = 0; i < kBuckets.size(); ++i)
        line(text, duration + "_bucket{le=\"" + kBuckets[i].seconds + "\"}", buckets_[i]);
    line(text, duration + "_bucket{le=\"+Inf\"}", all);
    text += duration + "_sum " + std::to_string(static_cast<double>(nanoseconds_) / 1e9) + "\n";
    line(text, duration + "_count", all);
    begin(text, "cmk_webhook_connections", "gauge", "Open connections.");
    line(text, "cmk_webhook_connections", connections);
    begin(text, "cmk_webhook_reloads_total", "counter", "Changed files that were read again.");
    line(text, "cmk_webhook_reloads_total{result=\"usable\"}", reloads_);
    line(text, "cmk_webhook_reloads_total{result=\"unusable\"}", failed_reloads_);
    const std::string end = "cmk_webhook_certificate_not_after_seconds";
    begin(text, end, "gauge", "When the certificate ends, in Unix time.");
    text += end + " " + std::to_string(not_after) + "\n";
    return text;
}

}  // namespace cmk::k8s
