// SPDX-License-Identifier: Apache-2.0
#include "agent/metrics.h"

#include <algorithm>
#include <functional>

#include "ipc/errors.h"

namespace cmk {

namespace {

constexpr Grade kGrades[] = {Grade::A, Grade::B, Grade::C, Grade::D};

/// Written also while they are 0, so that the first refusal is an increase.
constexpr Errc kUsualRefusals[] = {Errc::not_enough_cpus, Errc::not_permitted, Errc::timed_out,
                                   Errc::too_many,        Errc::unavailable,   Errc::io,
                                   Errc::internal};

bool is_usual(Errc code) {
    return std::find(std::begin(kUsualRefusals), std::end(kUsualRefusals), code) !=
           std::end(kUsualRefusals);
}

/// "not_enough_cpus" of "org.cmk.Agent.NotEnoughCpus".
std::string reason(Errc code) {
    const std::string_view name = name_of(code).varlink;
    std::string text;
    for (const char c : name.substr(name.rfind('.') + 1)) {
        const bool is_upper = c >= 'A' && c <= 'Z';
        if (is_upper && !text.empty()) text.push_back('_');
        text.push_back(is_upper ? static_cast<char>(c - 'A' + 'a') : c);
    }
    return text;
}

double number(std::uint64_t count) {
    return static_cast<double>(count);
}

void write_agent(MetricsText& text, const Counters& counters, const MetricsView& view) {
    text.family("cmk_agent_info", "gauge", "The agent's version, and what holds its leases.");
    text.value(1, {{"version", view.host.version}, {"mechanism", view.host.mechanism}});
    text.family("cmk_agent_start_time_seconds", "gauge", "When the agent started, in Unix time.");
    text.value(static_cast<double>(counters.started));
    text.family("cmk_agent_problems", "gauge", "What is wrong and could not be mended.");
    text.value(number(view.host.problems.size()));
    text.family("cmk_agent_config_in_force", "gauge",
                "1: the configuration files are in force; 0: an earlier configuration is.");
    text.value(counters.configured ? 1 : 0);
    text.family("cmk_agent_audits_total", "counter",
                "Times that the machine was compared with the agent's books.");
    text.value(number(counters.audits));
    text.family("cmk_agent_last_audit_timestamp_seconds", "gauge",
                "When it was compared last, in Unix time.");
    text.value(static_cast<double>(counters.last_audit));
    text.family("cmk_agent_repairs_total", "counter", "What audits found and mended.");
    text.value(number(counters.repairs));
    text.family("cmk_agent_reconfigurations_total", "counter", "Times that the pools changed.");
    text.value(number(counters.reconfigurations));
    text.family("cmk_agent_requests_total", "counter", "Calls of the agent's methods.");
    for (const auto& [method, count] : counters.varlink)
        text.value(number(count), {{"interface", "varlink"}, {"method", method}});
    for (const auto& [method, count] : counters.bus)
        text.value(number(count), {{"interface", "bus"}, {"method", method}});
    text.family("cmk_offline_cpus", "gauge", "CPUs of the machine that are offline.");
    text.value(number(view.offline.count()));
}

void write_pools(MetricsText& text, const std::vector<PoolReport>& pools) {
    const auto family = [&](const char* name, const char* help, unsigned PoolReport::*figure) {
        text.family(name, "gauge", help);
        for (const PoolReport& report : pools) {
            const PoolSpec& spec = report.pool.spec;
            text.value(report.*figure, {{"pool", spec.name}, {"kind", to_text(spec.kind)}});
        }
    };
    family("cmk_pool_cores", "Physical cores of the pool.", &PoolReport::cores);
    family("cmk_pool_free_cores", "Cores that no lease holds.", &PoolReport::free_cores);
    family("cmk_pool_leases", "Leases on the pool.", &PoolReport::leases);
    family("cmk_pool_waiting", "Requests that wait for the pool.", &PoolReport::waiting);
}

/// A family with one value for each pool: how many of its leases are so.
void write_lease_count(MetricsText& text, const MetricsView& view, const char* name,
                       const char* help,
                       const std::function<bool(const Pool&, const Lease&)>& is_counted) {
    text.family(name, "gauge", help);
    for (const PoolReport& report : view.pools) {
        const auto count =
            std::count_if(view.leases.begin(), view.leases.end(), [&](const auto& entry) {
                return entry.second.pool == report.pool.spec.name &&
                       is_counted(report.pool, entry.second);
            });
        text.value(static_cast<double>(count), {{"pool", report.pool.spec.name}});
    }
}

void write_leases(MetricsText& text, const MetricsView& view) {
    std::map<std::pair<std::string_view, Grade>, unsigned> held;
    for (const auto& [id, lease] : view.leases)
        ++held[{lease.pool, lease.grade}];
    text.family("cmk_leases", "gauge", "Leases by the grade at which they are held.");
    for (const PoolReport& report : view.pools) {
        const std::string& pool = report.pool.spec.name;
        for (const Grade grade : kGrades)
            text.value(held[{pool, grade}], {{"pool", pool}, {"grade", to_text(grade)}});
    }
    write_lease_count(text, view, "cmk_leases_below_required_grade",
                      "Leases that are held more weakly than their pool requires.",
                      [](const Pool& pool, const Lease& lease) {
                          return !is_at_least(lease.grade, pool.spec.require_grade);
                      });
    write_lease_count(
        text, view, "cmk_leases_without_cpus", "Leases all of whose CPUs are offline.",
        [&](const Pool&, const Lease& lease) { return view.offline.contains_all(lease.cpus); });
}

void write_refusals(MetricsText& text, const Counters& counters) {
    text.family("cmk_leases_refused_total", "counter", "Requests that got no lease, and why.");
    const auto of_pool = [&](const std::string& pool, const Counters::OfPool& counted, bool all) {
        for (std::size_t i = 0; i < kErrcs; ++i) {
            const auto code = static_cast<Errc>(i);
            if (counted.refused[i] == 0 && !(all && is_usual(code))) continue;
            text.value(number(counted.refused[i]), {{"pool", pool}, {"reason", reason(code)}});
        }
    };
    for (const auto& [pool, counted] : counters.pools)
        of_pool(pool, counted, true);
    of_pool("", counters.elsewhere, false);
}

void write_counted(MetricsText& text, const Counters& counters) {
    const auto family = [&](const char* name, const char* help,
                            std::uint64_t Counters::OfPool::*count) {
        text.family(name, "counter", help);
        for (const auto& [pool, counted] : counters.pools)
            text.value(number(counted.*count), {{"pool", pool}});
    };
    family("cmk_leases_granted_total", "Leases that were given.", &Counters::OfPool::granted);
    write_refusals(text, counters);
    family("cmk_leases_ended_total", "Leases that ended.", &Counters::OfPool::ended);
    family("cmk_lease_grade_drops_total", "Times that a lease's grade dropped.",
           &Counters::OfPool::weakened);
    family("cmk_lease_grade_rises_total", "Times that a lease's grade rose again.",
           &Counters::OfPool::strengthened);
    family("cmk_lease_moves_total", "Leases that got other CPUs when theirs went offline.",
           &Counters::OfPool::moved);
    counters.grants.write(text, "cmk_lease_grant_duration_seconds",
                          "Time that giving a lease took, without the time in a queue.");
}

}  // namespace

std::string render_metrics(const Counters& counters, const MetricsView& view) {
    MetricsText text;
    write_agent(text, counters, view);
    write_pools(text, view.pools);
    write_leases(text, view);
    write_counted(text, counters);
    return std::move(text).finish();
}

}  // namespace cmk
