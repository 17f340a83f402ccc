// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

int run_version(const std::vector<std::string>& arguments) {
    CommonOptions common;
    const Syntax syntax{.verb = "version",
                        .about =
                            "Shows the version of cmkctl and, when it is reachable, the\n"
                            "agent's.",
                        .examples = "  cmkctl version\n",
                        .options = {}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    const auto host = ask<HostReport>(common, wire::GetTopology{});
    return put(render_version(CMK_VERSION, host ? host->version : "", style_of(common)));
}

}  // namespace cmk
