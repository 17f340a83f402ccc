// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/machine.h"

namespace cmk {

/// The machine as an SVG document: a frame for each socket, in it the cores by NUMA node and
/// last-level cache, each core with its SMT siblings, coloured and marked by pool or lease. Hover
/// text says where a core is and who has it; a legend explains the marks. Needs no script and
/// nothing from elsewhere, and the same machine gives the same bytes.
std::string draw_svg(const Machine& machine);

/// The same picture as a page to look at or print, with tables of pools and leases. Well-formed XML
/// too.
std::string draw_html(const Machine& machine);

/// What --format takes: "text", which is not drawn here, "svg" and "html".
std::vector<std::string> drawing_formats();

/// draw_html() for "html", else draw_svg().
std::string draw(const Machine& machine, const std::string& format);

}  // namespace cmk
