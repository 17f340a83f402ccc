// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

int run_reconcile(const std::vector<std::string>& arguments) {
    CommonOptions common;
    const Syntax syntax{.verb = "reconcile",
                        .about =
                            "Has the agent compare the machine with its books and mend what\n"
                            "differs. Exits 1 when something could not be mended.",
                        .examples = "  cmkctl reconcile\n",
                        .options = {}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    const auto report = ask<ReconcileReport>(common, wire::Reconcile{});
    if (!report) return fail(report.error());
    const int printed = put(render_reconcile(*report, style_of(common)));
    return report->problems.empty() ? printed : exit_code::kFailure;
}

}  // namespace cmk
