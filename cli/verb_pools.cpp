// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

int run_pools(const std::vector<std::string>& arguments) {
    CommonOptions common;
    const Syntax syntax{.verb = "pools",
                        .about = "Lists the pools with their CPUs and how many cores are free.",
                        .examples = "  cmkctl pools\n  cmkctl pools -o json\n",
                        .options = {}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    const auto pools = ask<std::vector<PoolReport>>(common, wire::ListPools{});
    if (!pools) return fail(pools.error());
    return put(render_pools(*pools, style_of(common)));
}

}  // namespace cmk
