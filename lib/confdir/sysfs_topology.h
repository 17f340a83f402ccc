// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "core/topology.h"

namespace cmk {

/// Reads the online CPUs from `root`/sys/devices/system/cpu, without hwloc; `root` "" is this
/// machine. Cores and sockets are numbered as lscpu does, since that is what the original's
/// directories and reports are made of:
///
/// - CpuRecord::core counts cores over the machine, by first appearance in the order of CPUs;
/// - CpuRecord::package counts sockets from 0. They ascend with the firmware's id, where lscpu goes
///   by first appearance: the same, unless CPU 0 is on another socket than the first.
///
/// Firmware's core ids may repeat from socket to socket, die to die and cluster to cluster.
/// NUMA nodes and caches are not looked at: each CPU's are those of its socket.
///
/// Errors: io or invalid_argument, naming the file that is missing or makes no sense.
Result<Topology> load_sysfs_topology(const std::string& root);

}  // namespace cmk
