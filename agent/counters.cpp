// SPDX-License-Identifier: Apache-2.0
#include "agent/counters.h"

#include <algorithm>

namespace cmk {

namespace {

using namespace std::chrono_literals;

constexpr Counters::Durations::Bounds kBounds{100us, 250us, 500us, 1ms,   2500us, 5ms,
                                              10ms,  25ms,  50ms,  100ms, 500ms,  2500ms};

}  // namespace

Counters::Counters() : grants(kBounds) {}

void Counters::follow(const std::vector<Pool>& now) {
    for (const Pool& pool : now)
        pools.try_emplace(pool.spec.name);
    std::erase_if(pools, [&](const auto& entry) { return find_pool(now, entry.first) == nullptr; });
}

Counters::OfPool& Counters::of(std::string_view pool) {
    const auto at = pools.find(pool);
    return at == pools.end() ? elsewhere : at->second;
}

void Counters::request(Requests& requests, std::string_view method) {
    const auto at = requests.find(method);
    if (at != requests.end()) ++at->second;
}

}  // namespace cmk
