// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/duration_histogram.h"
#include "core/pool.h"
#include "ipc/errors.h"

namespace cmk {

/// What the agent counts since its start, for its one thread. Counting allocates nothing: all that
/// can be counted has its place before the first request.
class Counters {
public:
    struct OfPool {
        std::uint64_t granted = 0;
        std::uint64_t ended = 0;
        std::uint64_t weakened = 0;                   ///< times that a lease's grade dropped
        std::uint64_t strengthened = 0;               ///< and rose
        std::uint64_t moved = 0;                      ///< leases that got other CPUs for lost ones
        std::array<std::uint64_t, kErrcs> refused{};  ///< by Errc

        friend bool operator==(const OfPool&, const OfPool&) = default;
    };
    using Requests = std::map<std::string, std::uint64_t, std::less<>>;
    using Durations = DurationHistogram<std::uint64_t, 12>;

    Counters();

    /// From now on these pools are counted; what was counted of others is forgotten.
    void follow(const std::vector<Pool>& pools);
    /// The counters of a pool, or for a name that no pool has those of all such names.
    OfPool& of(std::string_view pool);
    void refused(std::string_view pool, Errc why) {
        ++of(pool).refused[static_cast<std::size_t>(why)];
    }
    /// `method` as its interface names it; what is not there is not counted.
    static void request(Requests& requests, std::string_view method);

    std::map<std::string, OfPool, std::less<>> pools = {};
    OfPool elsewhere = {};
    Requests varlink;  ///< by method, all of them
    Requests bus;
    Durations grants;  ///< from the request to the lease, without the time in a queue
    std::uint64_t audits = 0;
    std::uint64_t repairs = 0;
    std::uint64_t reconfigurations = 0;
    std::int64_t started = 0;     ///< seconds since the epoch
    std::int64_t last_audit = 0;  ///< the same
    bool configured = true;       ///< the configuration in force is that of the files
};

}  // namespace cmk
