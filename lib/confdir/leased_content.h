// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "confdir/content.h"
#include "core/report.h"

namespace cmk {

/// Pools and leases in the shape of the original's directory, shown as one at `path`: the pools'
/// lists, with each lease's process in those that it has CPUs of.
DirectoryContent content_of(const std::string& path, const Topology& topology,
                            const std::vector<PoolReport>& pools, const std::vector<Lease>& leases);

}  // namespace cmk
