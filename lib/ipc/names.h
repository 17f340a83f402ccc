// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/pool.h"  // names of pools

namespace cmk {

inline constexpr char kVarlinkInterface[] = "org.cmk.Agent";
inline constexpr char kBusName[] = "org.cmk.Agent1";
inline constexpr char kBusPath[] = "/org/cmk/Agent1";
inline constexpr char kBusInterface[] = "org.cmk.Agent1.Manager";

inline constexpr char kDefaultSocket[] = "/run/cmk/agent.sock";
inline constexpr char kObserveSocket[] = "/run/cmk-observe/agent.sock";
/// For containers that may change pools.
inline constexpr char kAdminSocket[] = "/run/cmk-admin/agent.sock";
/// The configuration directory of the original CMK.
inline constexpr char kCompatDir[] = "/etc/cmk";
inline constexpr char kDefaultStateDir[] = "/run/cmk-agent";

/// The longest message either side of the socket accepts, in bytes. A topology of 8192 CPUs fits.
inline constexpr unsigned kMaxReply = 4U << 20;
inline constexpr unsigned kMaxRequest = 64U << 10;

}  // namespace cmk
