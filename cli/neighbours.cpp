// SPDX-License-Identifier: Apache-2.0
#include "cli/neighbours.h"

#include <fcntl.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

constexpr std::size_t kNamesShown = 4;
constexpr int kKthreadd = 2;
/// CMK's own process in a local partition, where everything runs on the partition's CPUs: it only
/// waits for the end of its unit.
constexpr std::string_view kHolder = "/cmk-leases-partition.service/holder";

struct Thread {
    int process = 0;
    std::string name = {};
    CpuSet allowed = {};
};

struct Process {
    int parent = 0;
    bool is_kernel = false;
    std::string cpuset = {};
};

struct ProcessTable {
    std::map<int, Process> processes;
    std::vector<Thread> threads;
};

/// The value of "Key:\tvalue" in a status file.
std::string_view field(std::string_view status, std::string_view key) {
    for (const std::string_view line : split(status, '\n')) {
        if (line.size() > key.size() && line.substr(0, key.size()) == key &&
            line[key.size()] == ':') {
            return trim(line.substr(key.size() + 1));
        }
    }
    return "";
}

void add_thread(const std::string& status, int process, ProcessTable& table) {
    auto allowed = CpuSet::parse(field(status, "Cpus_allowed_list"));
    if (!allowed) return;
    table.threads.push_back({process, std::string(field(status, "Name")), *std::move(allowed)});
}

void add_process(const std::string& proc, int pid, ProcessTable& table) {
    const std::string base = proc + "/" + std::to_string(pid);
    const auto status = read_file_at(AT_FDCWD, base + "/status");
    if (!status) return;  // it has ended
    Process process;
    process.parent =
        static_cast<int>(parse_unsigned(field(*status, "PPid"), INT32_MAX).value_or(0));
    process.is_kernel = pid == kKthreadd || process.parent == kKthreadd;
    const auto cpuset = read_file_at(AT_FDCWD, base + "/cpuset");
    if (cpuset) process.cpuset = trim(*cpuset);
    table.processes[pid] = process;
    if (process.is_kernel) return add_thread(*status, pid, table);
    const auto tids = list_dir_at(AT_FDCWD, base + "/task");
    if (!tids) return;
    for (const std::string& tid : *tids) {
        const auto text = read_file_at(AT_FDCWD, base + "/task/" + tid + "/status");
        if (text) add_thread(*text, pid, table);
    }
}

ProcessTable read_processes(const std::string& proc) {
    ProcessTable table;
    const auto names = list_dir_at(AT_FDCWD, proc);
    if (!names) return table;
    for (const std::string& name : *names) {
        if (const auto pid = parse_unsigned(name, INT32_MAX)) {
            add_process(proc, static_cast<int>(*pid), table);
        }
    }
    return table;
}

/// The lease's own: the owner, what descends from it, and all in its cpuset ("/" is nobody's).
bool belongs(const ProcessTable& table, const Lease& lease, int pid) {
    const auto owner = table.processes.find(lease.owner.pid);
    const auto self = table.processes.find(pid);
    if (lease.hold == Hold::cpuset && self != table.processes.end() &&
        owner->second.cpuset.size() > 1 && self->second.cpuset == owner->second.cpuset) {
        return true;
    }
    std::set<int> seen;
    while (pid > 0 && seen.insert(pid).second) {
        if (pid == lease.owner.pid) return true;
        const auto at = table.processes.find(pid);
        pid = at == table.processes.end() ? 0 : at->second.parent;
    }
    return false;
}

struct Tally {
    std::size_t count = 0;
    std::vector<std::string> names = {};

    void add(const std::string& name) {
        ++count;
        const bool known = std::find(names.begin(), names.end(), name) != names.end();
        if (!known && names.size() <= kNamesShown) names.push_back(name);
    }
    std::string text(const char* noun) const {
        const std::string plural = std::string(noun) + "s";
        std::string out = counted(count, noun, plural);
        if (names.empty()) return out;
        const bool more = names.size() > kNamesShown;
        const std::vector<std::string> shown(
            names.begin(),
            names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kNamesShown)));
        return out + " (" + join(shown, ", ") + (more ? ", ...)" : ")");
    }
};

Check check_neighbours(const ProcessTable& table, const Lease& lease) {
    Tally user;
    Tally kernel;
    for (const Thread& thread : table.threads) {
        if (!thread.allowed.intersects(lease.cpus)) continue;
        const Process& process = table.processes.at(thread.process);
        if (process.cpuset.ends_with(kHolder)) continue;
        if (process.is_kernel) {
            kernel.add(thread.name);
        } else if (!belongs(table, lease, thread.process)) {
            user.add(thread.name);
        }
    }
    const bool is_exclusive = is_at_least(lease.grade, Grade::B);
    Check check{"neighbours", user.count == 0 || !is_exclusive, ""};
    check.evidence = user.text("other user thread") + " and " + kernel.text("kernel thread") +
                     " may run on " + lease.cpus.to_cpulist();
    if (user.count > 0 && !is_exclusive) {
        check.evidence += "; expected at grade " + std::string(to_text(lease.grade));
    }
    return check;
}

}  // namespace

bool shows_host(const std::string& proc) {
    const auto name = read_file_at(AT_FDCWD, proc + "/" + std::to_string(kKthreadd) + "/comm");
    return name && trim(*name) == "kthreadd";
}

void add_neighbours(const std::string& proc, std::vector<LeaseVerdict>& verdicts) {
    if (verdicts.empty() || !shows_host(proc)) return;
    const ProcessTable table = read_processes(proc);
    for (LeaseVerdict& verdict : verdicts) {
        if (table.processes.count(verdict.lease.owner.pid) == 0) continue;
        verdict.checks.push_back(check_neighbours(table, verdict.lease));
        verdict.passed = verdict.passed && verdict.checks.back().passed;
    }
}

}  // namespace cmk
