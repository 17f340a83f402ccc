// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "k8s/metrics.h"

namespace cmk::k8s {

/// Answers GET of /metrics, /healthz and /readyz, one connection at a time and one request each.
class StatusServer {
public:
    /// `address`: "unix:PATH", "HOST:PORT" with a numeric host, or ":PORT" for all addresses.
    /// Errors: invalid_argument, io, naming the address.
    static Result<StatusServer> listen(const std::string& address);

    /// Serves until the process ends.
    [[noreturn]] void serve(const Metrics& metrics) const;

private:
    explicit StatusServer(UniqueFd fd) : fd_(std::move(fd)) {}

    UniqueFd fd_;
};

/// The whole answer to the first line of a request. Pure.
std::string status_answer(const std::string& request_line, const Metrics& metrics, TimePoint now);

}  // namespace cmk::k8s
