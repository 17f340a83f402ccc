// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "cli/interference.h"
#include "cli/neighbours.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

namespace {

/// What is wrong with the pools or the whole host, whatever leases there are. Is nothing?
bool tell_problems(const CommonOptions& common) {
    const auto host = ask<HostReport>(common, wire::GetTopology{});
    if (!host) return true;
    for (const std::string& problem : host->problems)
        complain("verify: " + problem);
    if (host->problems.empty()) return true;
    complain("verify: so found by the last audit; once mended, cmkctl reconcile looks again");
    return false;
}

}  // namespace

int run_verify(const std::vector<std::string>& arguments) {
    CommonOptions common;
    std::vector<std::string> leases;
    std::optional<unsigned> sample;
    const Syntax syntax{
        .verb = "verify",
        .about =
            "Checks how leases are held, from what the kernel says now, and tells what would\n"
            "raise their grade. Exits 7 when a check fails, or when something is wrong with the\n"
            "pools.\n\n"
            "Grades: A exclusive, without load balancing, IRQs kept away; B exclusive, no\n"
            "other program can run there; C confined by a cpuset, neighbours possible;\n"
            "D CPU affinity only.",
        .examples =
            "  cmkctl verify\n  cmkctl verify 3f9a2c51 -o json\n"
            "  sudo cmkctl verify --sample 5\n",
        .options = {{"--sample", "SECONDS",
                     "count foreign threads on the leased CPUs for so long (needs root)",
                     NumberOption{&sample, 1, 3600}}},
        .words = {.name = "LEASE", .help = "only this lease", .words = &leases}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    if (leases.size() > 1) {
        complain("verify: one lease, or none for all of them");
        return exit_code::kUsage;
    }
    auto verdicts =
        ask<std::vector<LeaseVerdict>>(common, wire::Verify{leases.empty() ? "" : leases.front()});
    if (!verdicts) return fail(verdicts.error());
    if (shows_host("/proc")) {
        add_neighbours("/proc", *verdicts);
        add_interference("/", *verdicts);
    }
    if (sample) {
        const Status counted = add_switches("/", *sample, *verdicts);
        if (!counted) return fail(counted.error());
    }
    const int printed = put(render_verdicts(*verdicts, style_of(common)));
    const bool passed = std::all_of(verdicts->begin(), verdicts->end(),
                                    [](const LeaseVerdict& each) { return each.passed; });
    return tell_problems(common) && passed ? printed : exit_code::kCheckFailed;
}

}  // namespace cmk
