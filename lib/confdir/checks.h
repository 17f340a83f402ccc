// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "confdir/content.h"
#include "confdir/procfs.h"
#include "confdir/reports.h"
#include "core/topology.h"

namespace cmk {

/// Whom a directory's tasks name.
enum class Recorded {
    parent,   ///< a process that waits for the program, its child
    program,  ///< the program itself
};

/// Checks that `node-report` knows besides the original's `configDirectory`. Each error begins with
/// the list's pool and name:
/// - `taskLiveness`: processes that are recorded and have ended;
/// - `cpuOnline`: CPUs that are offline or that the machine does not have;
/// - `bootIsolation`: where cores are isolated at boot, CPUs of exclusive and shared that are not,
///   and CPUs of other pools that are;
/// - `taskAffinity`: running programs that may use CPUs outside their lists, as with --no-affinity.
///
/// `isolated`: CPU ids isolated at boot. `procfs`: null leaves out the checks of processes.
Checks further_checks(const DirectoryContent& content, const Topology& topology,
                      const CpuSet& isolated, const ProcFs* procfs, Recorded recorded);

}  // namespace cmk
