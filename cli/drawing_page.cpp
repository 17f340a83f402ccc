// SPDX-License-Identifier: Apache-2.0
#include "cli/display_text.h"
#include "cli/drawing.h"
#include "cli/markup.h"
#include "cli/tenants.h"

namespace cmk {

namespace {

constexpr char kStyle[] =
    "body { font-family: DejaVu Sans, Arial, sans-serif; color: #1a1a1a; margin: 1.5em; } "
    "svg { max-width: 100%; height: auto; print-color-adjust: exact; } "
    "table { border-collapse: collapse; margin: 1em 0; } "
    "caption { text-align: left; font-weight: bold; } "
    "th, td { border: 1px solid #999999; padding: 0.2em 0.6em; text-align: left; } "
    "@media print { body { margin: 0; } tr { break-inside: avoid; } }";

void add_row(Markup& page, std::string_view cell, const std::vector<std::string>& texts) {
    page.begin("tr");
    for (const std::string& text : texts)
        page.add(cell, {}, text);
    page.end();
}

void add_pools(Markup& page, const Machine& machine, const Tenants& tenants) {
    page.begin("table");
    page.add("caption", {}, "Pools");
    add_row(page, "th", {"Mark", "Pool", "Kind", "Cores", "Free", "Leases", "Waiting", "CPUs"});
    for (const PoolReport& report : machine.pools) {
        const PoolSpec& spec = report.pool.spec;
        const bool is_exclusive = spec.kind == PoolKind::exclusive;
        add_row(
            page, "td",
            {tenants.of_pool(spec.name).mark, spec.name, std::string(to_text(spec.kind)),
             std::to_string(report.cores), is_exclusive ? std::to_string(report.free_cores) : "-",
             std::to_string(report.leases), std::to_string(report.waiting),
             report.pool.cpus.to_cpulist()});
    }
    page.end();
}

void add_leases(Markup& page, const Machine& machine, const Tenants& tenants) {
    if (machine.leases.empty()) return page.add("p", {}, "No leases.");
    page.begin("table");
    page.add("caption", {}, "Leases");
    add_row(page, "th",
            {"Mark", "Lease", "Pool", "CPUs", "Grade", "Held by", "Process", "User", "Command",
             "Since"});
    for (const Lease& lease : machine.leases) {
        const Owner& owner = lease.owner;
        // One that is only planned has no grade: nothing was read back.
        const bool holds = lease.status == LeaseStatus::committed;
        add_row(page, "td",
                {tenants.of_lease(lease).mark, lease.id, lease.pool, lease.cpus.to_cpulist(),
                 holds ? std::string(to_text(lease.grade)) : "-",
                 holds ? std::string(to_text(lease.hold)) : "-",
                 owner.pid > 0 ? std::to_string(owner.pid) : "-",
                 holds && owner.user.empty() ? std::to_string(owner.uid) : owner.user,
                 owner.command, lease.created > 0 ? time_text(lease.created) : "-"});
    }
    page.end();
}

std::string facts_of(const HostReport& host) {
    std::string facts = "Held by " + host.mechanism;
    if (!host.isolated.empty()) facts += "; isolated at boot: " + host.isolated.to_cpulist();
    if (!host.version.empty()) facts += "; cmk-agent " + host.version;
    return facts + ".";
}

}  // namespace

std::string draw_html(const Machine& machine) {
    const Tenants tenants(machine.pools, machine.leases);
    Markup page;
    page.raw("<!DOCTYPE html>\n");
    page.begin("html", {{"xmlns", "http://www.w3.org/1999/xhtml"}, {"lang", "en"}});
    page.begin("head");
    page.add("meta", {{"charset", "utf-8"}});
    page.add("title", {}, "CPU cores by pool and lease");
    page.add("style", {}, kStyle);
    page.end();
    page.begin("body");
    page.add("h1", {}, "CPU cores by pool and lease");
    page.raw(draw_svg(machine));
    page.add("p", {}, facts_of(machine.host));
    for (const std::string& problem : machine.host.problems)
        page.add("p", {}, "Problem: " + problem);
    add_pools(page, machine, tenants);
    add_leases(page, machine, tenants);
    page.end();
    page.end();
    return std::move(page).text();
}

std::vector<std::string> drawing_formats() {
    return {"text", "svg", "html"};
}

std::string draw(const Machine& machine, const std::string& format) {
    return format == "html" ? draw_html(machine) : draw_svg(machine);
}

}  // namespace cmk
