// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "confdir/content.h"
#include "confdir/core_ids.h"
#include "confdir/reconcile.h"
#include "core/topology.h"

namespace cmk {

/// The reports are JSON to the byte of the original's: indented by 2, keys sorted as text, with a
/// newline at the end.

/// What `describe` prints. Sockets are not shown; of lists of one name in a pool the last is.
std::string describe_json(const DirectoryContent& content);

/// Errors of named checks, in the order found; a check without errors is in order.
using Checks = std::map<std::string, std::vector<std::string>>;

/// The check `configDirectory`: each pair of lists that have a CPU in common, with all CPUs of the
/// second one.
std::vector<std::string> list_overlaps(const DirectoryContent& content);

/// What `node-report` prints. `directory`: what was read, or why it could not be read; then the
/// description is null and `configDirectory` says so. `isolated`: CPU ids isolated at boot.
/// `further`: checks of the caller besides `configDirectory`.
std::string node_report_json(const Result<DirectoryContent>& directory, const Topology& topology,
                             const CoreIds& core_ids, const CpuSet& isolated,
                             const Checks& further = {});

/// What `reconcile` prints.
std::string reconcile_json(const std::vector<ReclaimedTask>& reclaimed);

}  // namespace cmk
