// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "base/text.h"
#include "cli/host_facts.h"
#include "cli/init_pools.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "ipc/errors.h"
#include "ipc/names.h"

namespace cmk {

namespace {

struct InitOptions {
    CommonOptions common = {};
    std::optional<unsigned> exclusive_cores = {};
    std::optional<unsigned> shared_cores = {};
    std::string exclusive_mode = "packed";
    std::string shared_mode = "packed";
    bool dry_run = false;
    bool yes = false;
};

Syntax syntax_for(InitOptions& options) {
    return {.verb = "init",
            .about =
                "Divides this machine's cores into the pools exclusive, shared and infra (all\n"
                "cores that are left). Shows first what will change, then asks.",
            .examples =
                "  cmkctl init --num-exclusive-cores 4 --num-shared-cores 1\n"
                "  cmkctl init --num-exclusive-cores 8 --exclusive-mode spread --dry-run\n",
            .options = {{"--num-exclusive-cores", "N", "cores of the exclusive pool (default: 4)",
                         NumberOption{&options.exclusive_cores, 0, kMaxCpus}},
                        {"--num-shared-cores", "N", "cores of the shared pool (default: 1)",
                         NumberOption{&options.shared_cores, 0, kMaxCpus}},
                        {"--exclusive-mode", "MODE",
                         "packed: one socket after the other; spread: round robin\n"
                         "(default: packed)",
                         &options.exclusive_mode, pool_modes()},
                        {"--shared-mode", "MODE", "the same for the shared pool",
                         &options.shared_mode, pool_modes()},
                        {"--dry-run", "", "only show what would change", &options.dry_run},
                        {"--yes", "", "do not ask", &options.yes}}};
}

std::vector<PoolSpec> specs_for(const InitOptions& options) {
    // The choices were checked with the options.
    const PoolMode exclusive_mode = *pool_mode_from(options.exclusive_mode);
    const PoolMode shared_mode = *pool_mode_from(options.shared_mode);
    return init_pools({.exclusive_cores = options.exclusive_cores.value_or(kInitExclusiveCores),
                       .shared_cores = options.shared_cores.value_or(kInitSharedCores),
                       .exclusive_mode = exclusive_mode,
                       .shared_mode = shared_mode});
}

/// Reads one answer from the terminal; anything but yes is no.
bool says_yes() {
    (void)put("Apply? [y/N] ");
    char answer[64];
    const ssize_t length = ::read(STDIN_FILENO, answer, sizeof answer);
    if (length <= 0) return false;
    const std::string_view text = trim({answer, static_cast<std::size_t>(length)});
    return text == "y" || text == "Y" || text == "yes" || text == "Yes";
}

/// The dry run's report and the host's facts. JSON and YAML readers get the report alone.
std::string preview(const ReconfigureReport& report, const OutputStyle& style) {
    std::string text = render_reconfigure(report, true, style);
    if (style.format != OutputFormat::table && style.format != OutputFormat::wide) return text;
    for (const std::string& fact : find_host_facts("/"))
        text += "host: " + fact + "\n";
    return text;
}

/// `shown`: whether the user has seen `preview`, which then need not be repeated.
int carry_out(const InitOptions& options, const std::vector<PoolSpec>& specs,
              const ReconfigureReport& preview, bool shown) {
    const auto report = ask<ReconfigureReport>(options.common, wire::Reconfigure{specs, false});
    if (!report) return fail(report.error());
    if (shown && *report == preview) return put("Done.\n");
    return put(render_reconfigure(*report, false, style_of(options.common)));
}

}  // namespace

int run_init(const std::vector<std::string>& arguments) {
    InitOptions options;
    if (const auto done =
            begin(syntax_for(options), arguments, options.common, exit_code::kUsage)) {
        return *done;
    }
    const auto specs = specs_for(options);
    const auto report = ask<ReconfigureReport>(options.common, wire::Reconfigure{specs, true});
    if (!report) return fail(report.error());
    const OutputStyle style = style_of(options.common);
    if (options.dry_run || !report->changed) return put(preview(*report, style));

    const bool is_table = style.format == OutputFormat::table || style.format == OutputFormat::wide;
    if (is_table) (void)put(preview(*report, style));
    if (options.yes) return carry_out(options, specs, *report, is_table);
    if (!is_table || ::isatty(STDIN_FILENO) != 1) {
        complain("init: there is no terminal to ask on; add --yes to apply this");
        return exit_code::kUsage;
    }
    if (!says_yes()) {
        complain("init: nothing was changed");
        return exit_code::kFailure;
    }
    return carry_out(options, specs, *report, is_table);
}

}  // namespace cmk
