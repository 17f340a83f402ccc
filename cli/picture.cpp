// SPDX-License-Identifier: Apache-2.0
#include "cli/picture.h"

#include <algorithm>

#include "cli/canvas.h"
#include "cli/display_text.h"
#include "cli/picture_layout.h"

namespace cmk {

namespace {

/// The line below cores of one tenant.
struct Bracket {
    const char* open;
    const char* line;
    const char* close;
};

/// The characters that lines are made of. Leases get the heavier bracket: what is taken shows
/// without colour too.
struct Pen {
    const char* top_left;
    const char* top_right;
    const char* bottom_left;
    const char* bottom_right;
    const char* across;
    const char* down;
    const char* dot;  ///< between the parts of a title
    Bracket pool;
    Bracket lease;
};
constexpr Pen kUnicodePen{"┌", "┐", "└", "┘", "─", "│", " · ", {"╰", "─", "╯"}, {"┗", "━", "┛"}};
constexpr Pen kAsciiPen{"+", "+", "+", "+", "-", "|", ", ", {"[", "-", "]"}, {"[", "=", "]"}};
constexpr char kLinePaint[] = "2";
constexpr char kTitlePaint[] = "1";

class Painter {
public:
    Painter(const Topology& topology, const Tenants& tenants, const OutputStyle& style)
        : topology_(topology),
          tenants_(tenants),
          style_(style),
          pen_(style.unicode ? kUnicodePen : kAsciiPen) {}

    std::string draw() {
        const Layout layout = lay_out(topology_, style_.width, pen_.dot);
        cell_ = layout.cell;
        digits_ = std::to_string(topology_.records().back().cpu).size();
        for (const PackageBox& box : layout.packages)
            draw_package(box);
        return canvas_.text(style_.color);
    }

private:
    void draw_package(const PackageBox& box) {
        const std::size_t right = box.x + box.width - 1;
        const std::size_t bottom = box.y + box.height - 1;
        for (const std::size_t y : {box.y, bottom}) {
            canvas_.repeat(box.x, y, box.width, pen_.across, kLinePaint);
        }
        for (std::size_t y = box.y + 1; y < bottom; ++y) {
            canvas_.put(box.x, y, pen_.down, kLinePaint);
            canvas_.put(right, y, pen_.down, kLinePaint);
        }
        canvas_.put(box.x, box.y, pen_.top_left, kLinePaint);
        canvas_.put(right, box.y, pen_.top_right, kLinePaint);
        canvas_.put(box.x, bottom, pen_.bottom_left, kLinePaint);
        canvas_.put(right, bottom, pen_.bottom_right, kLinePaint);
        // Narrow terminals cut the title, never the frame.
        const std::string_view title = head_of(box.title, box.width - 6);
        canvas_.put(box.x + 2, box.y, " " + std::string(title) + " ", kTitlePaint);
        for (const CoreBlock& block : box.blocks)
            draw_block(block, box.x + 2 + block.x, box.y + 1 + block.y);
    }

    void draw_block(const CoreBlock& block, std::size_t x, std::size_t y) {
        if (!block.title.empty()) {
            const std::size_t used = columns_of(block.title);
            canvas_.put(x, y, block.title, kLinePaint);
            if (used + 2 < block.width) {
                canvas_.repeat(x + used + 1, y, block.width - used - 1, pen_.across, kLinePaint);
            }
            ++y;
        }
        for (std::size_t first = 0; first < block.cores.size(); first += block.per_row) {
            const std::size_t count = std::min(block.per_row, block.cores.size() - first);
            draw_row(block, first, count, x, y);
            y += block.siblings + 1;
        }
    }

    const Tenant& tenant_of(const Core& core) const { return tenants_.of_cpu(core.cpus.lowest()); }

    /// One row of cores, as runs that belong to the same tenant.
    void draw_row(const CoreBlock& block, std::size_t first, std::size_t count, std::size_t x,
                  std::size_t y) {
        for (std::size_t i = 0; i < count;) {
            const Tenant& tenant = tenant_of(*block.cores[first + i]);
            std::size_t length = 1;
            while (i + length < count && &tenant_of(*block.cores[first + i + length]) == &tenant) {
                ++length;
            }
            const std::size_t left = x + i * (cell_ + 1);
            const std::size_t width = length * (cell_ + 1) - 1;
            for (std::size_t line = 0; line < block.siblings; ++line)
                canvas_.repeat(left, y + line, width, " ", tenant.paint);
            for (std::size_t n = 0; n < length; ++n)
                draw_core(*block.cores[first + i + n], left + n * (cell_ + 1), y);
            if (&tenant == &tenants_.none()) {
                for (std::size_t n = 0; n < length; ++n) {
                    canvas_.put(left + n * (cell_ + 1) + cell_ / 2, y + block.siblings, tenant.mark,
                                tenant.paint);
                }
            } else {
                draw_bracket(tenant, left, y + block.siblings, width);
            }
            i += length;
        }
    }

    void draw_core(const Core& core, std::size_t x, std::size_t y) {
        core.cpus.for_each([&](unsigned cpu) {
            const std::string id = std::to_string(cpu);
            const std::size_t indent = (cell_ - digits_) / 2 + digits_ - id.size();
            canvas_.put(x + indent, y++, id, tenants_.of_cpu(cpu).paint);
        });
    }

    /// The longest label that leaves a line on either side; at the least the mark.
    void draw_bracket(const Tenant& tenant, std::size_t x, std::size_t y, std::size_t width) {
        std::string label = tenant.labels.back();
        for (const std::string& candidate : tenant.labels) {
            if (columns_of(candidate) + 6 > width) continue;
            label = " " + candidate + " ";
            break;
        }
        const std::size_t used = columns_of(label);
        if (used + 2 <= width) {
            const Bracket& bracket = tenant.is_lease ? pen_.lease : pen_.pool;
            canvas_.repeat(x, y, width, bracket.line, tenant.paint);
            canvas_.put(x, y, bracket.open, tenant.paint);
            canvas_.put(x + width - 1, y, bracket.close, tenant.paint);
        }
        canvas_.put(x + (width - std::min(used, width)) / 2, y, head_of(label, width),
                    tenant.paint);
    }

    const Topology& topology_;
    const Tenants& tenants_;
    const OutputStyle& style_;
    const Pen& pen_;
    Canvas canvas_;
    std::size_t cell_ = 3;
    std::size_t digits_ = 1;
};

}  // namespace

std::string draw_machine(const Topology& topology, const Tenants& tenants,
                         const OutputStyle& style) {
    if (topology.cores().empty()) return "";
    return Painter(topology, tenants, style).draw();
}

}  // namespace cmk
