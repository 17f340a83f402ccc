// SPDX-License-Identifier: Apache-2.0
#include "confdir/core_ids.h"

namespace cmk {

CoreIds lscpu_core_ids(const Topology& topology) {
    constexpr unsigned kNone = ~0U;
    CoreIds ids(topology.cores().size(), kNone);
    unsigned next = 0;
    topology.cpus().for_each([&](unsigned cpu) {
        unsigned& id = ids[topology.core_of(cpu)->index];
        if (id == kNone) id = next++;
    });
    return ids;
}

}  // namespace cmk
