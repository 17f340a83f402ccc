// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "k8s/webhook/https_connection.h"
#include "k8s/webhook/webhook_metrics.h"

namespace cmk::k8s {

/// Answers what clients ask: POST /mutate… (as the original, any path that begins so), and GET of
/// /healthz and /metrics. May be used by several threads.
class WebhookHandler {
public:
    struct Options {
        std::string own_namespace = {};                    ///< "" where it is not known
        bool needs_client_certificate = false;             ///< for /mutate
        std::function<void(const std::string&)> log = {};  ///< one line, without its end
        std::function<unsigned()> connections = {};
    };

    explicit WebhookHandler(Options options) : options_(std::move(options)) {}

    /// Never throws.
    HttpAnswer answer(const HttpRequest& request);
    /// For reviews from now on.
    void set_mutations(std::shared_ptr<const Mutations> mutations);
    void set_certificate_end(std::int64_t not_after) { not_after_ = not_after; }
    WebhookMetrics& metrics() { return metrics_; }

private:
    HttpAnswer route(const HttpRequest& request);
    HttpAnswer mutate(const HttpRequest& request);
    std::shared_ptr<const Mutations> mutations() const;

    Options options_;
    WebhookMetrics metrics_;
    std::atomic<std::int64_t> not_after_ = 0;
    mutable std::mutex mutex_;
    std::shared_ptr<const Mutations> mutations_;
};

}  // namespace cmk::k8s
