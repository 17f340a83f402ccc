// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

namespace cmk {

/// Outcomes that callers tell apart. One table (lib/ipc/errors.cpp) maps each to its D-Bus name,
/// Varlink name, exit code and text.
enum class Errc {
    invalid_argument,  ///< the request or file is malformed; the message names what and where
    unknown_pool,      ///< no pool of that name
    not_enough_cpus,   ///< the pool cannot give that many cores now; the message explains
    unknown_lease,     ///< no lease of that id
    not_permitted,     ///< the caller may not do this; the message says who may
    conflict,          ///< live leases or another agent stand in the way
    timed_out,         ///< a wait ended before its turn came
    too_many,          ///< a bound on connections, waiters or leases is reached
    unavailable,       ///< the agent, kernel feature or process is not there
    restarting,        ///< the agent is ending and has done nothing; the next one can be asked
    corrupt_state,     ///< a state file is truncated, foreign or fails its checksum
    io,                ///< a system call failed; sys_errno says how
    internal,          ///< a broken invariant: a bug
};

/// What went wrong. `sys_errno` is 0 where no system call is to blame.
struct Error {
    Errc code = Errc::internal;
    int sys_errno = 0;
    std::string message;
};

inline Error make_error(Errc code, std::string message) {
    return Error{code, 0, std::move(message)};
}

/// An Errc::io error; the message becomes "<what>: <strerror(number)>".
Error errno_error(int number, const std::string& what);

}  // namespace cmk
