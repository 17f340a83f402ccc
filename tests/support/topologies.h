// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <random>

#include "core/topology.h"

namespace cmk::test {

/// CPU ids as Linux gives them on x86: first siblings of all cores, then second ones.
Topology make_uniform(unsigned packages, unsigned numa_per_package, unsigned llc_per_numa,
                      unsigned cores_per_llc, unsigned threads);

/// 4 cores, siblings n and n+4.
Topology single_socket_smt();

/// 2 packages of 4 cores, siblings n and n+8.
Topology dual_socket_numa();

/// 2 packages of 4 cores; even CPUs on package 0, odd ones on 1, siblings n and n+8.
Topology dual_socket_interleaved();

/// 1 package, 4 NUMA nodes of 2 caches of 2 cores, siblings n and n+16.
Topology amd_nps4_split_l3();

/// 2 cores with two threads (CPUs 0-3), 4 small ones (CPUs 4-7), one cache.
Topology hybrid();

/// single_socket_smt() with CPUs 5 and 7 offline and a gap up to CPU 70, which is a core alone.
Topology holes_offline();

/// Any of several shapes, some cores and threads offline.
Topology random_topology(std::mt19937& random);

}  // namespace cmk::test
