// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

namespace cmk::k8s {

/// What a calendar says, in UTC.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

WallTime wall_now();

/// "2026-11-23T18:04:31Z": RFC 3339, as the API's Time.
std::string rfc3339(WallTime wall);
/// "2026-11-23T18:04:31.000123Z": as its MicroTime.
std::string rfc3339_micro(WallTime wall);

}  // namespace cmk::k8s
