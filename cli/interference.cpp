// SPDX-License-Identifier: Apache-2.0
#include "cli/interference.h"

#include <fcntl.h>

#include <algorithm>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

constexpr std::size_t kShown = 4;

struct Interrupt {
    std::string number;
    std::string name;
    CpuSet cpus;
};

CpuSet read_list(const std::string& path) {
    const auto text = read_file_at(AT_FDCWD, path);
    auto cpus = text ? CpuSet::parse(*text) : Result<CpuSet>(text.error());
    return cpus ? *std::move(cpus) : CpuSet{};
}

/// "00000000,000000f3": 32 bits a word, the lowest last.
CpuSet parse_mask(std::string_view text) {
    CpuSet cpus;
    unsigned cpu = 0;
    for (auto at = text.rbegin(); at != text.rend(); ++at) {
        if (*at == ',') continue;
        const auto digit = std::string_view("0123456789abcdef").find(*at);
        if (digit == std::string_view::npos) return {};
        for (unsigned bit = 0; bit < 4; ++bit) {
            if ((digit >> bit & 1U) != 0) cpus.add(cpu + bit);
        }
        cpu += 4;
    }
    return cpus;
}

/// The directory of the interrupt has one for each of its users.
std::string user_of(const std::string& directory) {
    const auto names = list_dir_at(AT_FDCWD, directory);
    for (const std::string& name : names ? *names : std::vector<std::string>{}) {
        if (list_dir_at(AT_FDCWD, directory + "/" + name)) return name;
    }
    return "";
}

/// Only those that somebody uses can come.
std::vector<Interrupt> read_interrupts(const std::string& root) {
    std::vector<Interrupt> interrupts;
    const auto names = list_dir_at(AT_FDCWD, root + "/proc/irq");
    for (const std::string& number : names ? *names : std::vector<std::string>{}) {
        const std::string directory = root + "/proc/irq/" + number;
        if (!parse_unsigned(number)) continue;
        const std::string user = user_of(directory);
        CpuSet cpus = read_list(directory + "/effective_affinity_list");
        if (cpus.empty()) cpus = read_list(directory + "/smp_affinity_list");
        if (!user.empty() && !cpus.empty()) interrupts.push_back({number, user, std::move(cpus)});
    }
    return interrupts;
}

Check check_interrupts(const std::vector<Interrupt>& interrupts, const CpuSet& cpus) {
    std::vector<std::string> there;
    for (const Interrupt& each : interrupts) {
        if (each.cpus.intersects(cpus)) there.push_back(each.number + " " + each.name);
    }
    if (there.empty()) return {"interrupts", true, "none is directed to its CPUs"};
    const std::size_t count = there.size();
    if (count > kShown) there.resize(kShown);
    return {"interrupts", true,
            counted(count, "is", "are") + " directed to its CPUs: " + join(there, ", ") +
                (count > kShown ? ", ..." : "") +
                "; /proc/irq/NUMBER/smp_affinity_list takes other CPUs"};
}

Check check_workqueues(const CpuSet& unbound, const CpuSet& cpus) {
    if (!unbound.intersects(cpus)) return {"workqueues", true, "unbound kernel work stays away"};
    return {"workqueues", true,
            "unbound kernel work may run on " + (unbound & cpus).to_cpulist() +
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
    const auto mask = read_file_at(AT_FDCWD, base + "/sys/devices/virtual/workqueue/cpumask");
    const CpuSet nohz_full = read_list(base + "/sys/devices/system/cpu/nohz_full");
    for (LeaseVerdict& verdict : verdicts) {
        const CpuSet& cpus = verdict.lease.cpus;
        verdict.checks.push_back(check_siblings(base, verdict.lease));
        verdict.checks.push_back(check_interrupts(interrupts, cpus));
        if (mask) verdict.checks.push_back(check_workqueues(parse_mask(trim(*mask)), cpus));
        verdict.checks.push_back(check_tick(nohz_full, cpus));
        verdict.passed = std::all_of(verdict.checks.begin(), verdict.checks.end(),
                                     [](const Check& check) { return check.passed; });
    }
}

}  // namespace cmk
