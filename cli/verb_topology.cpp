// SPDX-License-Identifier: Apache-2.0
#include "cli/drawing.h"
#include "cli/machine.h"
#include "cli/output_json.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

int run_topology(const std::vector<std::string>& arguments) {
    CommonOptions common;
    std::string format = "text";
    const Syntax syntax{
        .verb = "topology",
        .about =
            "Draws the machine: sockets, NUMA nodes, last-level caches (LLC) and cores. A\n"
            "column is one core with its SMT siblings; a bracket below shows whose it is.",
        .examples =
            "  cmkctl topology\n  cmkctl topology -o json\n"
            "  cmkctl topology --format svg > machine.svg\n",
        .options = {{"--format", "FORMAT",
                     "text, svg (a drawing; point at a core for its owner) or html (a page\n"
                     "with the drawing, to look at or print)",
                     &format, drawing_formats()}}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    const OutputStyle style = style_of(common);
    if (format != "text" && is_data(style.format)) {
        complain("topology: --format " + format + " and -o " + common.output +
                 " exclude each other");
        return exit_code::kUsage;
    }
    const auto machine = ask_machine(common);
    if (!machine) return fail(machine.error());
    if (format != "text") return put(draw(*machine, format));
    return put(render_topology(machine->host, machine->pools, machine->leases, style));
}

}  // namespace cmk
