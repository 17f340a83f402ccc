// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_layout.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "cli/display_text.h"

namespace cmk {

namespace {

constexpr std::size_t kFrame = 4;       // "| " and " |"
constexpr std::size_t kPackageGap = 1;  // between frames
constexpr std::size_t kBlockGap = 3;    // between blocks in a frame
constexpr std::size_t kMaxAbreast = 16;

std::size_t divide_up(std::size_t count, std::size_t by) {
    return (count + by - 1) / by;
}

/// Which levels differ inside a package, and so are worth naming.
struct Levels {
    std::set<unsigned> numas;
    std::set<unsigned> llcs;
    std::set<std::string> kinds;
    std::size_t cores = 0;

    /// A cache of its own for each core groups nothing.
    bool has_private_caches() const { return cores > 1 && llcs.size() == cores; }
};

std::string join_title(const std::vector<std::string>& parts, const std::string& dot) {
    std::string title;
    for (const std::string& part : parts)
        title += (title.empty() ? "" : dot) + part;
    return title;
}

std::string package_title(unsigned package, const Levels& levels, const std::string& dot) {
    std::vector<std::string> parts{"socket " + std::to_string(package)};
    if (levels.numas.size() == 1) parts.push_back("NUMA " + std::to_string(*levels.numas.begin()));
    if (levels.llcs.size() == 1) parts.push_back("LLC " + std::to_string(*levels.llcs.begin()));
    return join_title(parts, dot);
}

std::string block_title(const Core& core, const Levels& levels, const std::string& dot) {
    std::vector<std::string> parts;
    if (levels.numas.size() > 1) parts.push_back("NUMA " + std::to_string(core.numa));
    if (levels.llcs.size() > 1 && !levels.has_private_caches()) {
        parts.push_back("LLC " + std::to_string(core.llc));
    }
    if (levels.kinds.size() > 1) parts.push_back(printable(core.kind, false));
    return join_title(parts, dot);
}

PackageBox group_package(unsigned package, const std::vector<const Core*>& cores,
                         const std::string& dot) {
    Levels levels{.cores = cores.size()};
    for (const Core* core : cores) {
        levels.numas.insert(core->numa);
        levels.llcs.insert(core->llc);
        levels.kinds.insert(core->kind);
    }
    PackageBox box{.title = package_title(package, levels, dot)};
    std::map<std::tuple<unsigned, unsigned, std::string>, std::size_t> index;
    for (const Core* core : cores) {
        const unsigned llc = levels.has_private_caches() ? 0 : core->llc;
        const auto [at, is_new] =
            index.try_emplace({core->numa, llc, core->kind}, box.blocks.size());
        if (is_new) box.blocks.push_back({.title = block_title(*core, levels, dot)});
        CoreBlock& block = box.blocks[at->second];
        block.cores.push_back(core);
        block.siblings = std::max(block.siblings, core->cpus.count());
    }
    std::stable_sort(box.blocks.begin(), box.blocks.end(), [](const auto& a, const auto& b) {
        return a.cores.front()->numa < b.cores.front()->numa;
    });
    return box;
}

std::vector<PackageBox> group(const Topology& topology, const std::string& dot) {
    std::map<unsigned, std::vector<const Core*>> cores;
    for (const Core& core : topology.cores())
        cores[core.package].push_back(&core);
    std::vector<PackageBox> packages;
    for (const auto& [package, members] : cores)
        packages.push_back(group_package(package, members, dot));
    return packages;
}

/// Rows of equal length where one more row buys that.
void shape_block(CoreBlock& block, std::size_t width, std::size_t cell) {
    const std::size_t count = block.cores.size();
    const std::size_t fit = std::max<std::size_t>((width + 1) / (cell + 1), 1);
    std::size_t rows = divide_up(count, fit);
    if (count % rows != 0 && count % (rows + 1) == 0) ++rows;
    block.per_row = divide_up(count, rows);
    block.width = std::max(block.per_row * (cell + 1) - 1, columns_of(block.title));
    block.height = rows * (block.siblings + 1) + (block.title.empty() ? 0 : 1);
}

/// Puts `abreast` blocks on a line.
void place_blocks(PackageBox& box, std::size_t abreast, std::size_t width, std::size_t cell) {
    const std::size_t each = (width - kFrame - (abreast - 1) * kBlockGap) / abreast;
    std::size_t y = 0;
    std::size_t used = columns_of(box.title) + 2;
    for (std::size_t first = 0; first < box.blocks.size(); first += abreast) {
        const std::size_t end = std::min(first + abreast, box.blocks.size());
        std::size_t x = 0;
        std::size_t line = 0;
        for (std::size_t i = first; i < end; ++i) {
            CoreBlock& block = box.blocks[i];
            shape_block(block, each, cell);
            block.x = x;
            block.y = y;
            x += block.width + kBlockGap;
            line = std::max(line, block.height);
        }
        used = std::max(used, x - kBlockGap);
        y += line;
    }
    box.width = used + kFrame;
    box.height = y + 2;
}

void shape_package(PackageBox& box, std::size_t width, std::size_t cell) {
    PackageBox best;
    const std::size_t most = std::min(box.blocks.size(), kMaxAbreast);
    for (std::size_t abreast = 1; abreast <= most; ++abreast) {
        if (abreast * (cell + kBlockGap) + kFrame > width + kBlockGap) break;
        PackageBox tried = box;
        place_blocks(tried, abreast, width, cell);
        const bool fits = tried.width <= width || abreast == 1;
        if (fits && (best.blocks.empty() || tried.height < best.height)) best = std::move(tried);
    }
    box = std::move(best);
}

/// False when the frames do not fit side by side.
bool place_packages(Layout& layout, std::size_t abreast, std::size_t width) {
    const std::size_t each = (width - (abreast - 1) * kPackageGap) / abreast;
    if (each < kFrame + layout.cell) return abreast == 1;
    std::size_t y = 0;
    bool fits = true;
    for (std::size_t first = 0; first < layout.packages.size(); first += abreast) {
        std::size_t x = 0;
        std::size_t line = 0;
        const std::size_t end = std::min(first + abreast, layout.packages.size());
        for (std::size_t i = first; i < end; ++i) {
            PackageBox& box = layout.packages[i];
            shape_package(box, each, layout.cell);
            fits = fits && box.width <= each;
            box.x = x;
            box.y = y;
            x += box.width + kPackageGap;
            line = std::max(line, box.height);
        }
        y += line;
    }
    layout.height = y;
    return fits || abreast == 1;
}

}  // namespace

Layout lay_out(const Topology& topology, std::size_t width, const std::string& dot) {
    const std::vector<PackageBox> packages = group(topology, dot);
    const unsigned last = topology.records().back().cpu;
    Layout best;
    // Odd cells have a middle; wide ones are nicer where they cost no line.
    for (const std::size_t cell : {std::size_t{5}, std::size_t{3}}) {
        if (cell < std::to_string(last).size()) break;
        for (std::size_t abreast = std::min(packages.size(), kMaxAbreast); abreast > 0; --abreast) {
            Layout tried{.packages = packages, .cell = cell};
            if (!place_packages(tried, abreast, width)) continue;
            if (best.packages.empty() || tried.height < best.height) best = std::move(tried);
        }
    }
    return best;
}

}  // namespace cmk
