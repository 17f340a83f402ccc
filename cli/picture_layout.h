// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/topology.h"

namespace cmk {

/// Cores drawn together: those of one NUMA node, last-level cache and kind.
struct CoreBlock {
    std::string title;  ///< what tells it from the others of its package; "" when it is the only
    std::vector<const Core*> cores;
    std::size_t siblings = 1;  ///< of the core that has most
    // Set by lay_out():
    std::size_t x = 0;  ///< place inside the package's frame
    std::size_t y = 0;
    std::size_t width = 0;
    std::size_t height = 0;
    std::size_t per_row = 1;  ///< cores side by side
};

struct PackageBox {
    std::string title;
    std::vector<CoreBlock> blocks;
    std::size_t x = 0;  ///< place of the frame in the picture
    std::size_t y = 0;
    std::size_t width = 0;
    std::size_t height = 0;
};

/// Where everything goes.
struct Layout {
    std::vector<PackageBox> packages;
    std::size_t cell = 3;  ///< columns of a core; one more is left between cores
    std::size_t height = 0;
};

/// Arranges the machine in at most `width` columns (of which it needs about 30) and as few lines
/// as it can. `dot` separates the parts of titles.
Layout lay_out(const Topology& topology, std::size_t width, const std::string& dot);

}  // namespace cmk
