// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "ipc/client.h"

namespace cmk {

/// The agent's page with `cmk_agent_up`; "" for an agent that is not there.
std::string metrics_page(const std::string& of_agent);

/// Puts the page in place in one go, for everybody to read: DIRECTORY/cmk.prom.
Status write_metrics(const std::string& directory, const std::string& page);

/// Keeps DIRECTORY/cmk.prom as the agent's metrics are: hears of changes from its Monitor stream,
/// so nothing is asked while nothing happens, but for a sign of life. SIGTERM and SIGINT end it.
class MetricsFollower {
public:
    /// `interval`: between two pages at least, and between attempts while the agent is away.
    MetricsFollower(std::string socket, std::string directory, std::chrono::seconds interval);

    /// Until a signal. Errors: io, where the page cannot be written.
    Status run();

private:
    using Clock = std::chrono::steady_clock;
    enum class Woken { by_agent, by_time, by_signal };

    Status follow();
    Status watch(Client& events);
    Status write_now();
    template <typename Reply>
    Result<Reply> await(Client& client);
    Woken wait(int fd, Clock::time_point until);

    std::string socket_;
    std::string directory_;
    std::chrono::seconds interval_;
    UniqueFd signals_;
    bool ended_ = false;      ///< a signal came
    bool was_there_ = false;  ///< the agent, since it was away last
    std::optional<Error> cannot_write_ = {};
};

}  // namespace cmk
