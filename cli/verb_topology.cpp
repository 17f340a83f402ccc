// SPDX-License-Identifier: Apache-2.0
#include "cli/machine.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

int run_topology(const std::vector<std::string>& arguments) {
    CommonOptions common;
    const Syntax syntax{
        .verb = "topology",
        .about =
            "Draws the machine: sockets, NUMA nodes, last-level caches (LLC) and cores. A\n"
            "column is one core with its SMT siblings; a bracket below shows whose it is.",
        .examples = "  cmkctl topology\n  cmkctl topology -o json\n",
        .options = {}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    const auto machine = ask_machine(common);
    if (!machine) return fail(machine.error());
    return put(render_topology(machine->host, machine->pools, machine->leases, style_of(common)));
}

}  // namespace cmk
