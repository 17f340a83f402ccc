// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "cli/display_text.h"
#include "cli/output.h"
#include "cli/output_json.h"
#include "cli/sentences.h"
#include "cli/table.h"

namespace cmk {

namespace {

std::string indented(const std::string& text) {
    std::string out;
    for (const std::string_view line : split(text, '\n')) {
        if (!line.empty()) out += "  " + std::string(line) + "\n";
    }
    return out;
}

std::string verdict_text(const LeaseVerdict& verdict, const OutputStyle& style) {
    const auto result = [&](bool passed) {
        return passed ? Table::Cell{"ok", "32"} : Table::Cell{"FAILED", "1;31"};
    };
    const Lease& lease = verdict.lease;
    const Table::Cell overall = result(verdict.passed);
    std::string head = "Lease " + printable(lease.id, style.unicode) + ": pool " +
                       printable(lease.pool, style.unicode) + ", CPUs " + lease.cpus.to_cpulist() +
                       ", grade " + std::string(to_text(lease.grade)) + ", held by " +
                       std::string(to_text(lease.hold));
    if (!lease.owner.command.empty()) {
        head += ", for " + printable(lease.owner.command, style.unicode);
    }
    std::string out = sentences("", {head}, style);
    Table table({{"RESULT"}, {"CHECK"}, {"EVIDENCE", false, true}});
    for (const Check& check : verdict.checks) {
        table.add({result(check.passed),
                   {printable(check.what, style.unicode)},
                   {printable(check.evidence, style.unicode)}});
    }
    const std::size_t width = style.format == OutputFormat::wide ? 0 : style.width - 2;
    out += indented(table.text(width, style.color));
    if (!verdict.raise.empty()) out += sentences("  to raise the grade: ", {verdict.raise}, style);
    return out + "  " + painted(overall.text, style.color ? overall.paint : "") + "\n";
}

}  // namespace

std::string render_verdicts(const std::vector<LeaseVerdict>& verdicts, const OutputStyle& style) {
    if (is_data(style.format)) return data_of(verdicts, style.format);
    if (verdicts.empty()) return "No leases.\n";
    std::string out;
    for (const LeaseVerdict& verdict : verdicts)
        out += (out.empty() ? "" : "\n") + verdict_text(verdict, style);
    return out;
}

std::string render_reconcile(const ReconcileReport& report, const OutputStyle& style) {
    if (is_data(style.format)) return data_of(report, style.format);
    std::string out = counted(report.leases, "lease", "leases");
    if (report.repaired.empty() && report.problems.empty()) return out + ", nothing to mend.\n";
    out += ", " + std::to_string(report.repaired.size()) + " mended, " +
           counted(report.problems.size(), "problem left", "problems left") + ".\n";
    return out + sentences("mended: ", report.repaired, style) +
           sentences("problem: ", report.problems, style);
}

std::string render_reconfigure(const ReconfigureReport& report, bool dry_run,
                               const OutputStyle& style) {
    if (is_data(style.format)) return data_of(report, dry_run, style.format);
    std::string out;
    if (!report.changed) {
        out = "Nothing to do: the pools are as asked.\n";
    } else {
        out = dry_run ? "What would change:\n" : "Done:\n";
        out += sentences("  - ", report.changes, style);
    }
    out += sentences("warning: ", report.warnings, style);
    return out + render_pools(report.pools, style);
}

std::string render_event(const Event& event, const OutputStyle& style) {
    if (is_data(style.format)) return data_of(event, style.format);
    std::string out = style.now > 0 ? time_text(style.now) + " " : "";
    out += to_text(event.kind);
    if (event.lease) {
        const Lease& lease = *event.lease;
        out += " " + printable(lease.id, style.unicode) +
               " pool=" + printable(lease.pool, style.unicode) +
               " cpus=" + lease.cpus.to_cpulist() + " grade=" + std::string(to_text(lease.grade));
        if (lease.owner.pid > 0) out += " pid=" + std::to_string(lease.owner.pid);
        if (!lease.owner.command.empty()) {
            out += " command=" + printable(lease.owner.command, style.unicode);
        }
    }
    if (!event.reason.empty()) out += ": " + printable(event.reason, style.unicode);
    return out + "\n";
}

std::string render_version(const std::string& client, const std::string& agent,
                           const OutputStyle& style) {
    if (is_data(style.format)) return data_of_versions(client, agent, style.format);
    return "cmkctl " + client + "\ncmk-agent " +
           (agent.empty() ? "cannot be reached" : printable(agent, style.unicode)) + "\n";
}

}  // namespace cmk
