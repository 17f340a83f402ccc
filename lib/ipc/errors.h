// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace cmk {

/// Exit codes of every program of ours but isolate's (125, 126, 127 and the program's own).
namespace exit_code {
inline constexpr int kOk = 0;
inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNoCapacity = 3;
inline constexpr int kNotPermitted = 4;
inline constexpr int kUnreachable = 5;
inline constexpr int kNotFound = 6;
inline constexpr int kCheckFailed = 7;
inline constexpr int kIsolateFailed = 125;
inline constexpr int kNotExecutable = 126;
inline constexpr int kProgramNotFound = 127;
}  // namespace exit_code

/// One row of the table error code <-> D-Bus name <-> Varlink name <-> exit code <-> text.
struct ErrorName {
    Errc code;
    const char* bus;      ///< "org.cmk.Agent1.Error.UnknownPool"
    const char* varlink;  ///< "org.cmk.Agent.UnknownPool"
    int exit;
    const char* text;  ///< what it means in general, for documentation and empty messages
};

/// How many codes there are.
inline constexpr std::size_t kErrcs = static_cast<std::size_t>(Errc::internal) + 1;

const ErrorName& name_of(Errc code);
std::optional<Errc> errc_from_varlink(std::string_view name);
std::optional<Errc> errc_from_bus(std::string_view name);

}  // namespace cmk
