// SPDX-License-Identifier: Apache-2.0
#include "k8s/webhook/webhook_metrics.h"

namespace cmk::k8s {

namespace {

using namespace std::chrono_literals;

constexpr WebhookMetrics::Durations::Bounds kBounds{100us,  250us, 500us, 1ms,
                                                    2500us, 10ms,  50ms,  250ms};
constexpr std::array<const char*, 4> kOutcomes{"unchanged", "mutated", "warned", "refused"};

}  // namespace

WebhookMetrics::WebhookMetrics() : durations_(kBounds) {}

void WebhookMetrics::count_review(Outcome outcome, std::chrono::nanoseconds took) {
    ++reviews_[static_cast<std::size_t>(outcome)];
    durations_.count(took);
}

std::string WebhookMetrics::render(unsigned connections, std::int64_t not_after) const {
    MetricsText page;
    page.family("cmk_webhook_reviews_total", "counter", "Admission reviews answered.");
    for (std::size_t i = 0; i < kOutcomes.size(); ++i)
        page.value(static_cast<double>(reviews_[i]), {{"outcome", kOutcomes[i]}});
    durations_.write(page, "cmk_webhook_review_duration_seconds",
                     "Time from the whole request to its answer.");
    page.family("cmk_webhook_connections", "gauge", "Open connections.");
    page.value(connections);
    page.family("cmk_webhook_reloads_total", "counter", "Changed files that were read again.");
    page.value(static_cast<double>(reloads_), {{"result", "usable"}});
    page.value(static_cast<double>(failed_reloads_), {{"result", "unusable"}});
    page.family("cmk_webhook_certificate_not_after_seconds", "gauge",
                "When the certificate ends, in Unix time.");
    page.value(static_cast<double>(not_after));
    return std::move(page).finish();
}

}  // namespace cmk::k8s
