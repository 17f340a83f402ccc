// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace cmk {

inline constexpr char kVarlinkInterface[] = "org.cmk.Agent";
inline constexpr char kBusName[] = "org.cmk.Agent1";
inline constexpr char kBusPath[] = "/org/cmk/Agent1";
inline constexpr char kBusInterface[] = "org.cmk.Agent1.Manager";

inline constexpr char kDefaultSocket[] = "/run/cmk/agent.sock";
inline constexpr char kDefaultStateDir[] = "/run/cmk-agent";

/// Names of the pools that `init` makes and whose CPUs a leased program is told of.
inline constexpr char kExclusivePool[] = "exclusive";
inline constexpr char kSharedPool[] = "shared";
inline constexpr char kInfraPool[] = "infra";

/// The longest message either side of the socket accepts, in bytes. A topology of 8192 CPUs fits.
inline constexpr unsigned kMaxReply = 4U << 20;
inline constexpr unsigned kMaxRequest = 64U << 10;

}  // namespace cmk
