// SPDX-License-Identifier: Apache-2.0
#include "cli/machine.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

namespace {

/// The original's default directory: what its readers expect as "path".
constexpr char kOriginalDirectory[] = "/etc/cmk";

}  // namespace

int run_describe(const std::vector<std::string>& arguments) {
    CommonOptions common;
    const Syntax syntax{.verb = "describe",
                        .about =
                            "Prints pools, CPU lists and tasks as the original CMK does;\n"
                            "always JSON. Tasks are the first processes of the leases.",
                        .examples = "  cmkctl describe\n",
                        .options = {}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    const auto machine = ask_machine(common);
    if (!machine) return fail(machine.error());
    return put(render_describe(kOriginalDirectory, machine->host.topology, machine->pools,
                               machine->leases));
}

}  // namespace cmk
