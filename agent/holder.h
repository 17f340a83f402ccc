// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "base/unique_fd.h"

namespace cmk {

/// Units of systemd/ that hold leases, below the cgroup v2 mount point. The second holds local
/// partitions on kernels that have no remote ones.
inline constexpr char kHolderUnit[] = "cmk.slice/cmk-leases.service";
inline constexpr char kPartitionUnit[] = "cmkpart.slice/cmk-leases-partition.service";

/// Moves the calling process into the child group "holder" of its group, as a group that hands
/// controllers down may not have processes of its own. Does nothing without cgroup v2.
/// Errors: io.
Status make_room_for_leases();

/// SIGTERM to every process of every lease, then waits until they have ended, a bounded time.
/// Errors: timed_out.
Status end_leases();

/// Gives every CPU back to everybody: partitions become members, nothing is reserved, and the
/// leases' groups and threads may use all CPUs. Errors: io, the first of them; goes on after one.
Status dissolve();

}  // namespace cmk
