// SPDX-License-Identifier: Apache-2.0
#include "cli/machine.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

int run_status(const std::vector<std::string>& arguments) {
    CommonOptions common;
    const Syntax syntax{.verb = "status",
                        .about = "Shows the machine as a picture, its pools and its leases.",
                        .examples = "  cmkctl status\n  cmkctl status -o json\n",
                        .options = {}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    const auto machine = ask_machine(common);
    if (!machine) return fail(machine.error());
    return put(render_status(machine->host, machine->pools, machine->leases, style_of(common)));
}

}  // namespace cmk
