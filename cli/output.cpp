// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <algorithm>

#include "base/text.h"
#include "cli/display_text.h"
#include "cli/output_json.h"
#include "cli/picture.h"
#include "cli/table.h"
#include "cli/tenants.h"

namespace cmk {

namespace {

bool is_wide(const OutputStyle& style) {
    return style.format == OutputFormat::wide;
}

std::size_t table_width(const OutputStyle& style) {
    return is_wide(style) ? 0 : style.width;
}

Paint grade_paint(Grade grade) {
    return is_at_least(grade, Grade::B) ? "32" : grade == Grade::C ? "33" : "31";
}

using Columns = std::vector<Table::Column>;
using Row = std::vector<Table::Cell>;

/// With `tenants` a first column shows the marks of the picture.
std::string pool_table(const std::vector<PoolReport>& pools, const Tenants* tenants,
                       const OutputStyle& style) {
    if (pools.empty()) return "No pools; cmkctl init makes them.\n";
    Columns columns{{"POOL"},       {"KIND"},         {"CORES", true},
                    {"FREE", true}, {"LEASES", true}, {"WAITING", true}};
    if (is_wide(style)) {
        columns.insert(columns.end(),
                       {{"MODE"}, {"ISOLATION"}, {"REQUIRES"}, {"ISOLCPUS"}, {"PARTITION"}});
    }
    columns.push_back({"CPUS", false, true});
    if (is_wide(style)) columns.push_back({"FREE CPUS"});
    if (tenants != nullptr) columns.insert(columns.begin(), {""});
    Table table(columns);
    for (const PoolReport& report : pools) {
        const PoolSpec& spec = report.pool.spec;
        Row row{{printable(spec.name, style.unicode)},
                {std::string(to_text(spec.kind))},
                {std::to_string(report.cores)},
                {spec.kind == PoolKind::exclusive ? std::to_string(report.free_cores) : "-"},
                {std::to_string(report.leases)},
                {std::to_string(report.waiting)}};
        if (is_wide(style)) {
            row.push_back({std::string(to_text(spec.mode))});
            row.push_back({std::string(to_text(spec.isolation))});
            row.push_back({std::string(to_text(spec.require_grade))});
            row.push_back({report.pool.boot_isolated ? "yes" : "no"});
            row.push_back({std::string(to_text(report.pool.partition))});
        }
        row.push_back({report.pool.cpus.to_cpulist()});
        if (is_wide(style)) row.push_back({report.free.to_cpulist()});
        if (tenants != nullptr) {
            const Tenant& tenant = tenants->of_pool(spec.name);
            row.insert(row.begin(), {tenant.mark, tenant.paint});
        }
        table.add(std::move(row));
    }
    return table.text(table_width(style), style.color);
}

Row lease_row(const Lease& lease, const OutputStyle& style) {
    const Owner& owner = lease.owner;
    const std::string user = owner.user.empty() ? std::to_string(owner.uid) : owner.user;
    Row row{{printable(lease.id, style.unicode)},
            {printable(lease.pool, style.unicode)},
            {lease.cpus.to_cpulist()},
            {std::string(to_text(lease.grade)), grade_paint(lease.grade)},
            {std::string(to_text(lease.hold))},
            {owner.pid > 0 ? std::to_string(owner.pid) : "-"},
            {printable(user, style.unicode)},
            {printable(owner.command, style.unicode)},
            {style.now > 0 ? age_text(style.now - lease.created) : "-"}};
    if (is_wide(style)) {
        row.push_back({std::to_string(owner.uid)});
        row.push_back({owner.container ? "yes" : "no"});
        row.push_back({time_text(lease.created)});
        row.push_back({printable(owner.cgroup, style.unicode)});
    }
    return row;
}

std::string lease_table(const std::vector<Lease>& leases, const Tenants* tenants,
                        const OutputStyle& style) {
    if (leases.empty()) return "No leases.\n";
    Columns columns{{"LEASE"},     {"POOL"}, {"CPUS", false, true},    {"GRADE"},    {"HOLD"},
                    {"PID", true}, {"USER"}, {"COMMAND", false, true}, {"AGE", true}};
    if (is_wide(style)) {
        columns.insert(columns.end(), {{"UID", true}, {"CONTAINER"}, {"CREATED"}, {"CGROUP"}});
    }
    if (tenants != nullptr) columns.insert(columns.begin(), {""});
    Table table(columns);
    for (const Lease& lease : leases) {
        Row row = lease_row(lease, style);
        if (tenants != nullptr) {
            const Tenant& tenant = tenants->of_lease(lease);
            row.insert(row.begin(), {tenant.mark, tenant.paint});
        }
        table.add(std::move(row));
    }
    return table.text(table_width(style), style.color);
}

/// A mark and what it stands for.
struct LegendItem {
    const Tenant* tenant;
    std::string text;
};

constexpr std::size_t kGap = 3;

/// Items side by side, as many as fit, starting at multiples of `step` columns.
std::string legend(const std::vector<LegendItem>& items, std::size_t step,
                   const OutputStyle& style) {
    std::string out;
    std::size_t at = 0;  // columns used in this line
    for (const LegendItem& item : items) {
        const std::string& mark = item.tenant->mark;
        const std::string text(head_of(item.text, style.width - mark.size() - 1));
        const std::size_t used = mark.size() + 1 + columns_of(text);
        std::size_t start = at == 0 ? 0 : (at + kGap + step - 1) / step * step;
        if (start + used > style.width) {
            out += "\n";
            at = start = 0;
        }
        out += std::string(start - at, ' ');
        out += painted(mark, style.color ? item.tenant->paint : "") + " " + text;
        at = start + used;
    }
    return items.empty() ? "" : out + "\n";
}

/// The step that puts items below each other.
std::size_t aligned_step(const std::vector<LegendItem>& items) {
    std::size_t width = 0;
    for (const LegendItem& item : items)
        width = std::max(width, item.tenant->mark.size() + 1 + columns_of(item.text));
    return width + kGap;
}

std::string pool_legend_text(const PoolReport& report) {
    std::string text =
        printable(report.pool.spec.name, false) + ": " + counted(report.cores, "core", "cores");
    if (report.pool.spec.kind == PoolKind::exclusive) {
        return text + ", " + std::to_string(report.free_cores) + " free";
    }
    if (report.leases > 0) text += ", " + counted(report.leases, "lease", "leases");
    return text;
}

std::string picture_legend(const HostReport& host, const Tenants& tenants,
                           const std::vector<PoolReport>& pools, const std::vector<Lease>& leases,
                           const OutputStyle& style) {
    std::vector<LegendItem> pool_items;
    CpuSet pooled;
    for (const PoolReport& report : pools) {
        pool_items.push_back({&tenants.of_pool(report.pool.spec.name), pool_legend_text(report)});
        pooled |= report.pool.cpus;
    }
    if (!pooled.contains_all(host.topology.cpus())) {
        pool_items.push_back({&tenants.none(), "in no pool"});
    }
    std::vector<LegendItem> lease_items;
    for (const Lease& lease : leases) {
        const Tenant& tenant = tenants.of_lease(lease);
        if (&tenant == &tenants.of_pool(lease.pool)) continue;
        std::string text = printable(lease.id, false);
        if (lease.owner.pid > 0) text += ", pid " + std::to_string(lease.owner.pid);
        if (!lease.owner.command.empty()) text += ", " + printable(lease.owner.command, false);
        lease_items.push_back({&tenant, text});
    }
    std::sort(lease_items.begin(), lease_items.end(),
              [](const auto& a, const auto& b) { return a.tenant->mark < b.tenant->mark; });
    return legend(pool_items, 1, style) + legend(lease_items, aligned_step(lease_items), style);
}

std::string host_line(const HostReport& host, const std::vector<Lease>& leases) {
    std::string line = "Held by " + printable(host.mechanism, false);
    if (!leases.empty()) {
        const auto [best, worst] =
            std::minmax_element(leases.begin(), leases.end(),
                                [](const Lease& a, const Lease& b) { return a.grade < b.grade; });
        line += best->grade == worst->grade ? "; all leases at grade " : "; leases at grades ";
        line += to_text(best->grade);
        if (best->grade != worst->grade) line += " to " + std::string(to_text(worst->grade));
    }
    if (!host.isolated.empty()) line += "; isolated at boot: " + host.isolated.to_cpulist();
    if (!host.version.empty()) line += "; cmk-agent " + printable(host.version, false);
    return line;
}

}  // namespace

std::string render_pools(const std::vector<PoolReport>& pools, const OutputStyle& style) {
    return is_data(style.format) ? data_of(pools, style.format) : pool_table(pools, nullptr, style);
}

std::string render_leases(const std::vector<Lease>& leases, const OutputStyle& style) {
    return is_data(style.format) ? data_of(leases, style.format)
                                 : lease_table(leases, nullptr, style);
}

std::string render_topology(const HostReport& host, const std::vector<PoolReport>& pools,
                            const std::vector<Lease>& leases, const OutputStyle& style) {
    if (is_data(style.format)) {
        return data_of_machine("Topology", host, pools, leases, style.format);
    }
    const Tenants tenants(pools, leases);
    return draw_machine(host.topology, tenants, style) +
           picture_legend(host, tenants, pools, leases, style);
}

std::string render_status(const HostReport& host, const std::vector<PoolReport>& pools,
                          const std::vector<Lease>& leases, const OutputStyle& style) {
    if (is_data(style.format)) return data_of_machine("Status", host, pools, leases, style.format);
    const Tenants tenants(pools, leases);
    std::string out = draw_machine(host.topology, tenants, style);
    out += "\n" + pool_table(pools, &tenants, style);
    out += "\n" + lease_table(leases, &tenants, style) + "\n";
    for (const std::string& line : fold(host_line(host, leases), style.width))
        out += line + "\n";
    for (const std::string& problem : host.problems) {
        out += "\n";
        for (const std::string& line : fold("Problem: " + printable(problem, false), style.width))
            out += line + "\n";
    }
    return out;
}

}  // namespace cmk
