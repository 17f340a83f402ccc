// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "k8s/agent_state.h"
#include "k8s/kube_client.h"
#include "k8s/publisher.h"

namespace cmk {
class MetricsText;
}

namespace cmk::k8s {

/// What is counted of a running publisher, as Prometheus reads it (text format 0.0.4). For any
/// threads.
class Metrics {
public:
    void count(const Exchange& exchange);
    void count_watch_end();
    /// How things stand after a step. `next`: when the next one is due.
    void set(const PublisherStatus& status, const AgentState* agent, TimePoint now, TimePoint next);

    /// /metrics
    std::string render(TimePoint now) const;
    /// Does the deciding thread still decide? "" or what is wrong.
    std::string unhealthy(TimePoint now) const;
    /// Is the Node as it shall be? "" or what is wrong.
    std::string unready() const;

private:
    struct PoolFigures {
        std::string name;
        std::string kind;
        unsigned cores = 0;
        unsigned free = 0;
        unsigned leases = 0;
        unsigned waiting = 0;
    };
    struct Total {
        std::uint64_t requests = 0;
        double seconds = 0;
    };

    void write_pools(MetricsText& page) const;
    void write_exchanges(MetricsText& page) const;

    mutable std::mutex mutex_;
    std::map<std::pair<std::string, int>, Total> exchanges_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t watched_ = 0;
    std::uint64_t watch_ends_ = 0;
    PublisherStatus status_;
    std::vector<PoolFigures> pools_;
    TimePoint stepped_ = {};
    TimePoint next_ = {};
};

}  // namespace cmk::k8s
