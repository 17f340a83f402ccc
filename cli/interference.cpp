// SPDX-License-Identifier: Apache-2.0
#include "cli/interference.h"

#include <fcntl.h>

#include <algorithm>

#include "base/file_io.h"
#include "base/text.h"
#include "hw/kernel_work.h"

namespace cmk {

namespace {

constexpr std::size_t kShown = 4;

CpuSet read_list(const std::string& path) {
    const auto text = read_file_at(AT_FDCWD, path);
    auto cpus = text ? CpuSet::parse(*text) : Result<CpuSet>(text.error());
    return cpus ? *std::move(cpus) : CpuSet{};
}

/// Grade A promises that there are none.
Check check_interrupts(const std::vector<Interrupt>& interrupts, const Lease& lease) {
    std::vector<std::string> there;
    for (const Interrupt& each : interrupts) {
        if (each.cpus.intersects(lease.cpus)) there.push_back(each.number + " " + each.name);
    }
    if (there.empty()) return {"interrupts", true, "none is directed to its CPUs"};
    const std::size_t count = there.size();
    if (count > kShown) there.resize(kShown);
    return {"interrupts", lease.grade != Grade::A,
            counted(count, "is", "are") + " directed to its CPUs: " + join(there, ", ") +
                (count > kShown ? ", ..." : "") +
                "; /proc/irq/NUMBER/smp_affinity_list takes other CPUs"};
}

Check check_workqueues(const CpuSet& unbound, const Lease& lease) {
    const CpuSet there = unbound & lease.cpus;
    if (there.empty()) return {"workqueues", true, "unbound kernel work stays away"};
    return {"workqueues", lease.grade != Grade::A,
            "unbound kernel work may run on " + there.to_cpulist() +
                "; /sys/devices/virtual/workqueue/cpumask takes other CPUs"};
}

Check check_tick(const CpuSet& nohz_full, const CpuSet& cpus) {
    if (nohz_full.contains_all(cpus)) return {"timer tick", true, "stops while one program runs"};
    return {"timer tick", true,
            "runs on " + (cpus - nohz_full).to_cpulist() +
                "; nohz_full= on the kernel command line stops it while one program runs"};
}

Check check_siblings(const std::string& root, const Lease& lease) {
    CpuSet siblings;
    lease.cpus.for_each([&](unsigned cpu) {
        siblings |= read_list(root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                              "/topology/thread_siblings_list");
    });
    const CpuSet others = siblings - lease.cpus;
    if (others.empty()) return {"siblings", true, "the lease has its cores whole"};
    return {"siblings", !is_at_least(lease.grade, Grade::B),
            "CPUs " + others.to_cpulist() + " share a core with it and are not its own"};
}

}  // namespace

void add_interference(const std::string& root, std::vector<LeaseVerdict>& verdicts) {
    if (verdicts.empty()) return;
    const std::string base = root == "/" ? "" : root;
    const auto interrupts = read_interrupts(base);
    const auto unbound = read_unbound_cpus(base);
    const CpuSet nohz_full = read_list(base + "/sys/devices/system/cpu/nohz_full");
    for (LeaseVerdict& verdict : verdicts) {
        const CpuSet& cpus = verdict.lease.cpus;
        verdict.checks.push_back(check_siblings(base, verdict.lease));
        verdict.checks.push_back(check_interrupts(interrupts, verdict.lease));
        if (unbound) verdict.checks.push_back(check_workqueues(*unbound, verdict.lease));
        verdict.checks.push_back(check_tick(nohz_full, cpus));
        verdict.passed = std::all_of(verdict.checks.begin(), verdict.checks.end(),
                                     [](const Check& check) { return check.passed; });
    }
}

}  // namespace cmk
