// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

int run_leases(const std::vector<std::string>& arguments) {
    CommonOptions common;
    const Syntax syntax{.verb = "leases",
                        .about = "Lists the leases: which CPUs, how strongly held, and whose.",
                        .examples = "  cmkctl leases\n  cmkctl leases -o wide\n",
                        .options = {}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    const auto leases = ask<std::vector<Lease>>(common, wire::ListLeases{});
    if (!leases) return fail(leases.error());
    return put(render_leases(*leases, style_of(common)));
}

}  // namespace cmk
