// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "core/topology.h"

namespace cmk {

/// Where a topology comes from. At most one is set; none means the running machine.
struct TopologySource {
    std::string sysfs_root = {};  ///< directory that holds "sys/devices/system/..." (HWLOC_FSROOT)
    std::string xml = {};         ///< path of an hwloc XML file
    std::string synthetic = {};   ///< hwloc synthetic description, "pack:2 [numa] l3:1 core:4 pu:2"
};

/// Reads the topology through hwloc: every online CPU, also those that cgroups keep from us.
/// Never changes the affinity of the calling thread and never opens an hwloc plugin.
/// Errors: io or invalid_argument when the source cannot be read (hwloc itself would silently
/// fall back to the running machine; this does not).
Result<Topology> load_topology(const TopologySource& source);

/// CPUs isolated at boot: <sysfs root>/sys/devices/system/cpu/isolated, and where that file is
/// missing or empty every isolcpus= word of `cmdline` (the text of /proc/cmdline).
/// Errors: invalid_argument for a malformed list.
Result<CpuSet> load_isolated(const std::string& sysfs_root, const std::string& cmdline,
                             unsigned last_cpu);

}  // namespace cmk
