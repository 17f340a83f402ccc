// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "core/allocator.h"
#include "core/report.h"

namespace cmk::wire {

/// The methods of org.cmk.Agent, one struct each (lib/ipc/org.cmk.Agent.varlink documents them),
/// and those of org.varlink.service.
struct Isolate {
    AllocationRequest what;
    bool pin = true;
    std::uint64_t wait_ms = 0;
    bool has_pidfd = false;  ///< the message names fd 0 as the caller's pidfd
};
struct Release {
    std::string lease;
};
struct ListPools {};
struct ListLeases {};
struct GetTopology {};
struct GetMetrics {};
struct Reconcile {};
struct Verify {
    std::string lease;  ///< "" for all
};
struct Reconfigure {
    std::vector<PoolSpec> pools;
    bool dry_run = false;
    bool compat = false;  ///< offer a lease socket in the original's directory as well
};
struct Reload {};
struct Monitor {};
struct GetInfo {};
struct GetInterfaceDescription {
    std::string interface;
};

using Method =
    std::variant<Isolate, Release, ListPools, ListLeases, GetTopology, GetMetrics, Reconcile,
                 Verify, Reconfigure, Reload, Monitor, GetInfo, GetInterfaceDescription>;

/// The names of all methods without their interfaces, in the order of `Method`.
const std::vector<std::string>& method_names();

/// A method call as Varlink frames it (https://varlink.org/Method-Call).
struct Call {
    Method method;
    bool oneway = false;
    bool more = false;
};

/// What went wrong, under its Varlink name. The org.varlink.service errors have no Errc.
struct Failure {
    std::string name;
    std::string message;    ///< for org.cmk.Agent errors
    std::string parameter;  ///< for org.varlink.service errors: the method, interface or parameter
};
Failure to_failure(const Error& error);
Error to_error(const Failure& failure);

/// What GetMetrics answers, in Prometheus' text format.
struct MetricsPage {
    std::string text;

    friend bool operator==(const MetricsPage&, const MetricsPage&) = default;
};

/// Message texts are without the ending NUL.
std::string encode(const Call& call);
/// Never fails in a way that ends the connection without an answer: the Failure is the reply.
std::variant<Call, Failure> decode_call(std::string_view text);

std::string encode_failure(const Failure& failure);
std::string encode_empty();
std::string encode(const Grant& grant);
std::string encode(const std::vector<PoolReport>& pools);
std::string encode(const std::vector<Lease>& leases);
std::string encode(const HostReport& host);
std::string encode(const MetricsPage& metrics);
std::string encode(const ReconcileReport& report);
std::string encode(const std::vector<LeaseVerdict>& verdicts);
std::string encode(const ReconfigureReport& report);
/// A Monitor reply; without an event it says that the stream stands.
std::string encode(const std::optional<Event>& event);
std::string encode_info(const std::string& version);
std::string encode_description(std::string_view description);

/// The reply to a call as the type it has. Errors: the one the agent sent, or unavailable for a
/// reply that is not understood. T is one of the types encode() takes, or Nothing.
struct Nothing {};
template <typename T>
Result<T> decode_reply(std::string_view text);

}  // namespace cmk::wire
