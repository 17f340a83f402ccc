// SPDX-License-Identifier: Apache-2.0
#include "cli/metrics_follower.h"
#include "cli/output_json.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

namespace {

constexpr unsigned kInterval = 10;

int write_once(const CommonOptions& common, const std::string& directory) {
    const auto page = ask<wire::MetricsPage>(common, wire::GetMetrics{});
    // The file of an earlier call would go on saying that all is well.
    const Status written = write_metrics(directory, metrics_page(page ? page->text : ""));
    if (!written) return fail(written.error());
    return page ? exit_code::kOk : fail(page.error());
}

}  // namespace

int run_metrics(const std::vector<std::string>& arguments) {
    CommonOptions common;
    std::string directory;
    bool wants_follow = false;
    std::optional<unsigned> interval;
    const Syntax syntax{
        .verb = "metrics",
        .about =
            "Prints what the agent has counted and how things stand, as Prometheus reads it;\n"
            "always text. With --textfile it is a file for node-exporter's textfile\n"
            "collector instead; cmk-metrics.service keeps one.",
        .examples =
            "  cmkctl metrics\n"
            "  cmkctl metrics --textfile /var/lib/prometheus/node-exporter\n",
        .options = {{"--textfile", "DIR",
                     "write DIR/cmk.prom in place of standard output; without an agent one that\n"
                     "says so",
                     &directory},
                    {"--follow", "",
                     "with --textfile: write it again after events, and at least every five\n"
                     "minutes, until interrupted",
                     &wants_follow},
                    {"--interval", "SECONDS",
                     "with --follow: how long after one page the next comes at the earliest\n"
                     "(default: 10)",
                     NumberOption{&interval, 1, 300}}}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    if (is_data(style_of(common).format)) {
        complain("metrics: always text, as Prometheus reads it; leave -o out");
        return exit_code::kUsage;
    }
    if (wants_follow && directory.empty()) {
        complain("metrics: --follow needs --textfile DIR, where to write");
        return exit_code::kUsage;
    }
    if (interval && !wants_follow) {
        complain("metrics: --interval needs --follow");
        return exit_code::kUsage;
    }
    if (wants_follow) {
        MetricsFollower follower(socket_path(common), directory,
                                 std::chrono::seconds(interval.value_or(kInterval)));
        const Status ended = follower.run();
        return ended ? exit_code::kOk : fail(ended.error());
    }
    if (!directory.empty()) return write_once(common, directory);
    const auto page = ask<wire::MetricsPage>(common, wire::GetMetrics{});
    return page ? put(metrics_page(page->text)) : fail(page.error());
}

}  // namespace cmk
