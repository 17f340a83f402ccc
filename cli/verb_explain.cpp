// SPDX-License-Identifier: Apache-2.0
#include "cli/output_plans.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

int run_explain(const std::vector<std::string>& arguments) {
    CommonOptions common;
    std::string pool;
    std::optional<unsigned> cores;
    std::optional<unsigned> package;
    const Syntax syntax{
        .verb = "explain",
        .about =
            "Tells what a lease would get now, from which NUMA nodes and caches, or why it\n"
            "would be refused, who holds the cores, and what would fit instead. Takes\n"
            "nothing. Exits 0 when cores would be given, else as the refusal would (3: not\n"
            "enough cores).",
        .examples =
            "  cmkctl explain --pool exclusive --cores 4\n"
            "  cmkctl explain --pool exclusive --cores 4 --package 1 -o json\n",
        .options = {
            {"--pool", "POOL", "the pool to take cores from; required", &pool},
            {"--cores", "N", "how many cores (default: 1)", NumberOption{&cores, 1, kMaxCpus}},
            {"--socket-id,--package", "N", "only cores of this socket",
             NumberOption{&package, 0, UINT32_MAX}}}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    if (pool.empty()) {
        complain("explain: --pool is missing; cmkctl pools lists them");
        return exit_code::kUsage;
    }
    const auto machine = ask_machine(common);
    if (!machine) return fail(machine.error());
    const auto explanation =
        explain(*machine, {.pool = pool, .cores = cores.value_or(1), .package = package});
    if (!explanation) return fail(explanation.error());
    const int printed = put(render_explanation(*explanation, style_of(common)));
    return explanation->refusal ? name_of(explanation->refusal->code).exit : printed;
}

}  // namespace cmk
