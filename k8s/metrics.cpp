// SPDX-License-Identifier: Apache-2.0
#include "k8s/metrics.h"

#include <algorithm>

#include "base/metrics_text.h"

namespace cmk::k8s {

namespace {

/// A step waits for a server that does not answer: twice each of a handful of requests.
constexpr std::chrono::seconds kLongestStep{600};

double age(TimePoint now, const std::optional<TimePoint>& then) {
    return then ? std::chrono::duration<double>(now - *then).count() : -1.0;
}

}  // namespace

void Metrics::count(const Exchange& exchange) {
    const std::lock_guard lock(mutex_);
    Total& total = exchanges_[{exchange.method, exchange.status}];
    ++total.requests;
    total.seconds += exchange.took.count();
    sent_ += exchange.sent;
    (exchange.method == "WATCH" ? watched_ : received_) += exchange.received;
}

void Metrics::count_watch_end() {
    const std::lock_guard lock(mutex_);
    ++watch_ends_;
}

void Metrics::set(const PublisherStatus& status, const AgentState* agent, TimePoint now,
                  TimePoint next) {
    const std::lock_guard lock(mutex_);
    status_ = status;
    stepped_ = now;
    next_ = next;
    pools_.clear();
    if (agent == nullptr) return;
    for (const PoolReport& report : agent->pools) {
        const PoolSpec& spec = report.pool.spec;
        pools_.push_back({spec.name, std::string(to_text(spec.kind)), report.cores,
                          report.free_cores, report.leases, report.waiting});
    }
}

std::string Metrics::unhealthy(TimePoint now) const {
    const std::lock_guard lock(mutex_);
    if (now < std::max(stepped_, std::min(next_, now)) + kLongestStep) return "";
    return "nothing was decided for ten minutes\n";
}

std::string Metrics::unready() const {
    const std::lock_guard lock(mutex_);
    std::string text;
    for (const auto& [about, what] : status_.problems)
        text += about + ": " + what + "\n";
    if (!status_.node_published) return text + "the Node has not been published yet\n";
    return status_.problems.count("node") > 0 || status_.problems.count("server") > 0 ? text : "";
}

std::string Metrics::render(TimePoint now) const {
    const std::lock_guard lock(mutex_);
    MetricsText page;
    write_pools(page);
    write_exchanges(page);
    page.family("cmk_watch_ends_total", "counter", "Watches that ended and were begun again.");
    page.value(static_cast<double>(watch_ends_));
    page.family("cmk_node_writes_total", "counter", "Times that the Node was written.");
    page.value(status_.writes);
    page.family("cmk_drift_repairs_total", "counter",
                "Times that somebody else's change was undone.");
    page.value(status_.repairs);
    page.family("cmk_node_age_seconds", "gauge", "Since the Node was found true; -1: never.");
    page.value(age(now, status_.node_published));
    page.family("cmk_report_age_seconds", "gauge", "Since the report was published; -1: never.");
    page.value(age(now, status_.report_published));
    page.family("cmk_problems", "gauge", "What is wrong now.");
    for (const auto& [about, what] : status_.problems)
        page.value(1, {{"about", about}});
    return std::move(page).finish();
}

void Metrics::write_pools(MetricsText& page) const {
    const auto pools = [&](const char* name, const char* help, unsigned PoolFigures::*figure) {
        page.family(name, "gauge", help);
        for (const PoolFigures& pool : pools_)
            page.value(pool.*figure, {{"pool", pool.name}, {"kind", pool.kind}});
    };
    pools("cmk_pool_cores", "Physical cores of the pool.", &PoolFigures::cores);
    pools("cmk_pool_free_cores", "Cores that no lease holds.", &PoolFigures::free);
    pools("cmk_pool_leases", "Leases on the pool.", &PoolFigures::leases);
    pools("cmk_pool_waiting", "Requests that wait for the pool.", &PoolFigures::waiting);
}

void Metrics::write_exchanges(MetricsText& page) const {
    page.family("cmk_api_requests_total", "counter",
                "Requests to the API server; code 0: no answer.");
    for (const auto& [key, total] : exchanges_) {
        page.value(static_cast<double>(total.requests),
                   {{"method", key.first}, {"code", std::to_string(key.second)}});
    }
    page.family("cmk_api_seconds_total", "counter", "Time that requests took.");
    for (const auto& [key, total] : exchanges_) {
        page.value(total.seconds, {{"method", key.first}, {"code", std::to_string(key.second)}});
    }
    page.family("cmk_api_bytes_total", "counter", "Bytes of bodies.");
    page.value(static_cast<double>(sent_), {{"direction", "sent"}});
    page.value(static_cast<double>(received_), {{"direction", "received"}});
    page.value(static_cast<double>(watched_), {{"direction", "watched"}});
}

}  // namespace cmk::k8s
