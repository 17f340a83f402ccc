// SPDX-License-Identifier: Apache-2.0
#include "ipc/errors.h"

#include <algorithm>
#include <array>

namespace cmk {

namespace {

#define CMK_ERROR_NAMES(name) "org.cmk.Agent1.Error." name, "org.cmk.Agent." name

constexpr std::array<ErrorName, kErrcs> kTable{{
    {Errc::internal, CMK_ERROR_NAMES("Internal"), exit_code::kFailure,
     "a broken invariant inside the agent"},
    {Errc::invalid_argument, CMK_ERROR_NAMES("InvalidArgument"), exit_code::kUsage,
     "the request is malformed"},
    {Errc::unknown_pool, CMK_ERROR_NAMES("UnknownPool"), exit_code::kNotFound,
     "no pool has that name"},
    {Errc::not_enough_cpus, CMK_ERROR_NAMES("NotEnoughCpus"), exit_code::kNoCapacity,
     "the pool cannot give that many cores now"},
    {Errc::unknown_lease, CMK_ERROR_NAMES("UnknownLease"), exit_code::kNotFound,
     "no lease has that id"},
    {Errc::not_permitted, CMK_ERROR_NAMES("NotPermitted"), exit_code::kNotPermitted,
     "the caller may not do this"},
    {Errc::conflict, CMK_ERROR_NAMES("Conflict"), exit_code::kFailure,
     "live leases or another agent stand in the way"},
    {Errc::timed_out, CMK_ERROR_NAMES("TimedOut"), exit_code::kNoCapacity,
     "the wait ended before its turn came"},
    {Errc::too_many, CMK_ERROR_NAMES("TooMany"), exit_code::kFailure,
     "a bound on connections, waiters or leases is reached"},
    {Errc::unavailable, CMK_ERROR_NAMES("Unavailable"), exit_code::kUnreachable,
     "the agent, a kernel feature or the process is not there"},
    {Errc::restarting, CMK_ERROR_NAMES("Restarting"), exit_code::kUnreachable,
     "the agent is ending and has done nothing; ask again"},
    {Errc::corrupt_state, CMK_ERROR_NAMES("CorruptState"), exit_code::kFailure,
     "a state file is damaged"},
    {Errc::io, CMK_ERROR_NAMES("Io"), exit_code::kFailure, "a system call failed"},
}};

#undef CMK_ERROR_NAMES

}  // namespace

const ErrorName& name_of(Errc code) {
    const auto* row = std::find_if(kTable.begin(), kTable.end(),
                                   [&](const ErrorName& name) { return name.code == code; });
    return row == kTable.end() ? kTable.front() : *row;
}

std::optional<Errc> errc_from_varlink(std::string_view name) {
    for (const ErrorName& row : kTable) {
        if (name == row.varlink) return row.code;
    }
    return std::nullopt;
}

std::optional<Errc> errc_from_bus(std::string_view name) {
    for (const ErrorName& row : kTable) {
        if (name == row.bus) return row.code;
    }
    return std::nullopt;
}

}  // namespace cmk
