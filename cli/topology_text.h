// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "core/topology.h"

namespace cmk {

/// A machine described in hwloc's synthetic form, "pack:2 [numa] l3:1 core:4 pu:2": from the
/// outside in, how many of each there are in one of what stands before it. Known are machine,
/// package (pack, socket), numa (node), die, group, l1 to l5 (also l1d ... "l3cache"), core and pu,
/// which is last. In brackets: a NUMA node for each of what stands before. Attributes in
/// parentheses are skipped, except "indexes=", which is refused. CPUs are numbered as they come, as
/// hwloc does. Format: hwloc manual, "Synthetic topologies". Errors: invalid_argument.
Result<Topology> parse_synthetic(std::string_view text);

/// A machine that lstopo wrote (hwloc XML of version 2). Errors: invalid_argument.
Result<Topology> parse_hwloc_xml(std::string_view text);

/// A machine that `lscpu -p` wrote, by its default columns: CPU, Core, Socket, Node and the caches,
/// of which the last one counts. Errors: invalid_argument.
Result<Topology> parse_lscpu(std::string_view text);

/// The file of that name, in whichever of the forms; where there is none, a synthetic description.
Result<Topology> read_topology(const std::string& file_or_synthetic);

}  // namespace cmk
