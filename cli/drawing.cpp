// SPDX-License-Identifier: Apache-2.0
#include "cli/drawing.h"

#include <algorithm>
#include <array>
#include <map>

#include "cli/display_text.h"
#include "cli/drawing_text.h"
#include "cli/markup.h"
#include "cli/picture_layout.h"
#include "cli/tenants.h"

namespace cmk {

namespace {

constexpr std::size_t kColumns = 100;  // of the layout, which thinks in characters
constexpr std::size_t kColumn = 10;    // pixels
constexpr std::size_t kRow = 20;
constexpr std::size_t kMargin = 16;
constexpr std::size_t kLegendLetter = 7;
constexpr std::size_t kLegendColumns = 130;
constexpr char kInk[] = "#1a1a1a";
constexpr char kLine[] = "#555555";

/// Fills of a pool: free or shared cores, and leased ones. All light enough for dark text.
struct Fills {
    const char* open;
    const char* leased;
};
constexpr std::array<Fills, 3> kExclusiveFills{
    {{"#e5f5e0", "#74c476"}, {"#fff7bc", "#fec44f"}, {"#fde0dd", "#fa9fb5"}}};
constexpr std::array<Fills, 4> kSharedFills{{{"#c6dbef", "#c6dbef"},
                                             {"#dadaeb", "#dadaeb"},
                                             {"#d9d9d9", "#d9d9d9"},
                                             {"#ccece6", "#ccece6"}}};
constexpr char kNoPoolFill[] = "#ffffff";

std::string px(std::size_t value) {
    return std::to_string(value);
}

class Drawing {
public:
    explicit Drawing(const Machine& machine)
        : machine_(machine), tenants_(machine.pools, machine.leases) {
        std::size_t exclusive = 0;
        std::size_t shared = 0;
        for (const PoolReport& report : machine.pools) {
            const bool is_exclusive = report.pool.spec.kind == PoolKind::exclusive;
            fills_[report.pool.spec.name] =
                is_exclusive ? kExclusiveFills[exclusive++ % kExclusiveFills.size()]
                             : kSharedFills[shared++ % kSharedFills.size()];
        }
    }

    std::string svg() {
        if (!machine_.host.topology.cores().empty()) draw_packages();
        y_ += kRow;
        draw_legend();
        Markup document;
        document.begin("svg", {{"xmlns", "http://www.w3.org/2000/svg"},
                               {"viewBox", "0 0 " + px(width_ + kMargin) + " " + px(y_ + kMargin)},
                               {"width", px(width_ + kMargin)},
                               {"height", px(y_ + kMargin)},
                               {"font-family", "DejaVu Sans, Arial, sans-serif"},
                               {"font-size", "12"},
                               {"fill", kInk}});
        document.add("title", {}, "CPU cores by pool and lease");
        document.add("rect", {{"width", "100%"}, {"height", "100%"}, {"fill", "#ffffff"}});
        document.raw(std::move(body_).text());
        document.end();
        return std::move(document).text();
    }

private:
    void draw_packages() {
        const Layout layout = lay_out(machine_.host.topology, kColumns, " · ");
        cell_ = layout.cell;
        for (const PackageBox& box : layout.packages)
            draw_package(box);
        y_ = kMargin + layout.height * kRow;
    }

    /// A rectangle; pixels of the drawing.
    void frame(std::size_t x, std::size_t y, std::size_t width, std::size_t height,
               const char* line) {
        body_.add("rect", {{"x", px(x)},
                           {"y", px(y)},
                           {"width", px(width)},
                           {"height", px(height)},
                           {"rx", "4"},
                           {"fill", "none"},
                           {"stroke", line}});
        width_ = std::max(width_, x + width);
    }

    void label(std::size_t x, std::size_t y, const std::string& text, const char* weight) {
        body_.add("text", {{"x", px(x)}, {"y", px(y)}, {"font-weight", weight}}, text);
    }

    void draw_package(const PackageBox& box) {
        const std::size_t x = kMargin + box.x * kColumn;
        const std::size_t y = kMargin + box.y * kRow;
        body_.begin("g", {{"class", "socket"}});
        body_.add("title", {}, box.title);
        frame(x, y, box.width * kColumn, box.height * kRow - 4, kLine);
        label(x + kColumn, y + 15, box.title, "bold");
        for (const CoreBlock& block : box.blocks)
            draw_block(block, x + (2 + block.x) * kColumn, y + (1 + block.y) * kRow);
        body_.end();
    }

    void draw_block(const CoreBlock& block, std::size_t x, std::size_t y) {
        body_.begin("g", {{"class", "block"}});
        if (!block.title.empty()) {
            body_.add("title", {}, block.title);
            frame(x - 5, y + 3, block.width * kColumn + 10, block.height * kRow - 4, "#aaaaaa");
            label(x, y + 16, block.title, "normal");
            y += kRow;
        }
        for (std::size_t i = 0; i < block.cores.size(); ++i) {
            const std::size_t row = i / block.per_row;
            const std::size_t column = i % block.per_row;
            draw_core(*block.cores[i], x + column * (cell_ + 1) * kColumn,
                      y + 3 + row * (block.siblings + 1) * kRow, block.siblings);
        }
        body_.end();
    }

    const char* fill_of(const std::string& pool, bool is_leased) const {
        const auto fills = fills_.find(pool);
        if (fills == fills_.end()) return kNoPoolFill;
        return is_leased ? fills->second.leased : fills->second.open;
    }

    /// A filled box. Leases have a thick line and what is in no pool a broken one: this shows in
    /// grey, too.
    void swatch(const char* name, std::size_t x, std::size_t y, std::size_t width,
                std::size_t height, const Tenant& tenant, const std::string& pool) {
        Attributes attributes{{"class", name},
                              {"x", px(x)},
                              {"y", px(y)},
                              {"width", px(width)},
                              {"height", px(height)},
                              {"rx", "3"},
                              {"fill", fill_of(pool, tenant.is_lease)},
                              {"stroke", tenant.is_lease ? kInk : kLine},
                              {"stroke-width", tenant.is_lease ? "2.5" : "1"}};
        if (&tenant == &tenants_.none()) attributes.emplace_back("stroke-dasharray", "3 2");
        body_.add("rect", attributes);
    }

    void centred(std::size_t x, std::size_t y, const std::string& text, const char* weight) {
        body_.add("text",
                  {{"x", px(x)}, {"y", px(y)}, {"text-anchor", "middle"}, {"font-weight", weight}},
                  text);
    }

    void draw_core(const Core& core, std::size_t x, std::size_t y, std::size_t siblings) {
        const Tenant& tenant = tenants_.of_cpu(core.cpus.lowest());
        const PoolReport* report = pool_with(machine_, core.cpus);
        const std::size_t width = cell_ * kColumn;
        body_.begin("g", {{"class", "core"}});
        body_.add("title", {}, hover_text(machine_, core));
        swatch("tenant", x, y, width, (siblings + 1) * kRow - 7, tenant,
               report == nullptr ? "" : report->pool.spec.name);
        std::size_t line = y;
        core.cpus.for_each([&](unsigned cpu) {
            body_.add("rect", {{"class", "cpu"},
                               {"x", px(x + 3)},
                               {"y", px(line + 2)},
                               {"width", px(width - 6)},
                               {"height", px(kRow - 5)},
                               {"rx", "2"},
                               {"fill", "#ffffff"},
                               {"fill-opacity", "0.6"}});
            centred(x + width / 2, line + 14, std::to_string(cpu), "normal");
            line += kRow;
        });
        centred(x + width / 2, y + siblings * kRow + 9, tenant.mark, "bold");
        body_.end();
        width_ = std::max(width_, x + width);
    }

    bool has_rest() const {
        CpuSet pooled;
        for (const PoolReport& report : machine_.pools)
            pooled |= report.pool.cpus;
        return !pooled.contains_all(machine_.host.topology.cpus());
    }

    void draw_legend() {
        for (const PoolReport& report : machine_.pools) {
            const std::string& name = report.pool.spec.name;
            legend_line(tenants_.of_pool(name), name, name + ": " + pool_summary(report));
        }
        if (has_rest()) legend_line(tenants_.none(), "", "in no pool");
        std::vector<const Lease*> leases;
        for (const Lease& lease : machine_.leases)
            leases.push_back(&lease);
        std::stable_sort(leases.begin(), leases.end(), [&](const Lease* a, const Lease* b) {
            return tenants_.of_lease(*a).mark < tenants_.of_lease(*b).mark;
        });
        for (const Lease* lease : leases) {
            legend_line(tenants_.of_lease(*lease), lease->pool,
                        "lease " + lease->id + ": " + lease_summary(*lease));
        }
    }

    void legend_line(const Tenant& tenant, const std::string& pool, const std::string& text) {
        const std::string whole = printable(text, true);
        std::string shown(head_of(whole, kLegendColumns));
        if (shown.size() < whole.size()) shown += "…";
        body_.begin("g", {{"class", "legend"}});
        body_.add("title", {}, whole);
        swatch("key", kMargin, y_, 30, kRow - 4, tenant, pool);
        centred(kMargin + 15, y_ + 12, tenant.mark, "bold");
        label(kMargin + 40, y_ + 12, shown, "normal");
        body_.end();
        width_ = std::max(width_, kMargin + 40 + columns_of(shown) * kLegendLetter);
        y_ += kRow;
    }

    const Machine& machine_;
    Tenants tenants_;
    std::map<std::string, Fills> fills_;
    Markup body_;
    std::size_t cell_ = 3;
    std::size_t width_ = 0;
    std::size_t y_ = kMargin;
};

}  // namespace

std::string draw_svg(const Machine& machine) {
    return Drawing(machine).svg();
}

}  // namespace cmk
