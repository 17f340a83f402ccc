// SPDX-License-Identifier: Apache-2.0
// What people and other programs write into a configuration directory and on the command line:
// names of CPU lists, tasks, their companions, isolcpus= and core ids.
#include <algorithm>
#include <string>

#include "confdir/init_plan.h"
#include "confdir/json_writer.h"
#include "confdir/list_name.h"
#include "confdir/tasks_file.h"
#include "fuzz/must.h"

namespace {

using namespace cmk;
using cmk::test::must;

void check_refused(const Error& error) {
    must(error.code == Errc::invalid_argument, "what does not parse is an invalid argument");
    must(!error.message.empty(), "an error says what is wrong");
}

void check_list_name(std::string_view text) {
    const auto cpus = parse_list_name(text);
    if (!cpus) return check_refused(cpus.error());
    const auto set = CpuSet::parse(text);
    must(set.has_value(), "a list's name is a cpulist");
    CpuSet listed;
    for (const unsigned cpu : *cpus)
        listed.add(cpu);
    must(listed == *set, "it names the same CPUs");
}

void check_tasks(std::string_view text) {
    const auto pids = parse_tasks(text);
    if (!pids) return check_refused(pids.error());
    std::vector<Task> tasks;
    for (const int pid : *pids) {
        must(pid >= 0, "a process id is not negative");
        tasks.push_back({.pid = pid});
    }
    const auto again = parse_tasks(format_tasks(tasks));
    must(again && *again == *pids, "what is written reads the same");
}

void check_starts(std::string_view text) {
    const auto starts = parse_starts(text);
    if (!starts) return;
    std::vector<Task> tasks;
    for (const auto& [pid, start_time] : starts->start_times)
        tasks.push_back({.pid = pid, .start_time = start_time});
    const auto again = parse_starts(format_starts(starts->stamp, tasks));
    must(again && *again == *starts, "what is written reads the same");
}

void check_isolcpus(std::string_view text, unsigned last_cpu) {
    const auto cpus = parse_isolcpus_as_original(text, last_cpu);
    if (!cpus) return check_refused(cpus.error());
    must(CpuSet::first(last_cpu + 1).contains_all(*cpus), "CPUs beyond the last are dropped");
}

/// 8 cores of which 0-3 are isolated, siblings n and n+8.
const Topology& machine() {
    static const Topology kMachine = [] {
        std::vector<CpuRecord> records;
        for (unsigned cpu = 0; cpu < 16; ++cpu)
            records.push_back({.cpu = cpu, .core = cpu % 8});
        return Topology::from_records(std::move(records)).value();
    }();
    return kMachine;
}

void check_core_ids(std::string_view text) {
    const CpuSet isolated{0, 1, 2, 3, 8, 9, 10, 11};
    const auto plan = plan_init(machine(), lscpu_core_ids(machine()), isolated,
                                {.exclusive_cores = 2, .excl_non_isolcpus = std::string(text)});
    if (!plan && plan.error().code == Errc::not_enough_cpus) return;
    if (!plan) return check_refused(plan.error());
    const Pool* infra = find_pool(plan->pools, kInfraPool);
    must(infra != nullptr && !infra->cpus.empty(), "infra has a core");
    CpuSet seen;
    for (const Pool& pool : plan->pools) {
        must(!seen.intersects(pool.cpus), "pools are disjoint");
        seen |= pool.cpus;
    }
}

void check_json(std::string_view text) {
    const std::string json = json_string(text);
    must(std::all_of(json.begin(), json.end(), [](char c) { return c >= ' ' && c <= '~'; }),
         "JSON is printable ASCII");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = cmk::test::text_of(data, size);
    check_list_name(text);
    check_tasks(text);
    check_starts(text);
    for (const unsigned last_cpu : {0U, 7U, kMaxCpus - 1}) {
        check_isolcpus(text, last_cpu);
        check_isolcpus("quiet isolcpus=" + std::string(text), last_cpu);
    }
    check_core_ids(text);
    check_json(text);
    must(normalised_path(normalised_path(text)) == normalised_path(text), "a path stays as it is");
    return 0;
}
