// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>

namespace cmk::k8s {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

/// Numbers from 0 to below 1.
using Random = std::function<double()>;

/// `mean` with up to `part` of it (0.2 for 20 %) more or less, so that many nodes do not act at the
/// same time.
Duration spread_around(Duration mean, double part, double random);

/// How often one object is written: the first time at once, then once in an interval. A repair of
/// what somebody else undid does not wait, up to five of them in a minute: two writers that do not
/// agree would go on without end.
class Pace {
public:
    explicit Pace(Duration interval) : interval_(interval) {}

    /// From when on the object may be written.
    TimePoint due(bool is_repair) const;
    void wrote(TimePoint now, bool is_repair);

private:
    static constexpr unsigned kMaxRepairs = 5;
    static constexpr std::chrono::seconds kRepairWindow{60};

    Duration interval_;
    std::optional<TimePoint> last_;
    TimePoint window_begin_ = {};
    unsigned repairs_ = 0;
};

/// Waits between attempts: from 1 s on, doubled up to 60 s, each a random part between half and
/// the whole of it. What the server asks for (Retry-After) is never undercut.
class Backoff {
public:
    explicit Backoff(Random random) : random_(std::move(random)) {}

    Duration next(std::optional<std::chrono::seconds> retry_after);
    void succeeded() { failures_ = 0; }
    unsigned failures() const { return failures_; }

private:
    Random random_;
    unsigned failures_ = 0;
};

}  // namespace cmk::k8s
