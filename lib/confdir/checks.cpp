// SPDX-License-Identifier: Apache-2.0
#include "confdir/checks.h"

#include <map>

#include "core/cpu_text.h"
#include "core/pool.h"

namespace cmk {

namespace {

using Errors = std::vector<std::string>;

std::string name_of(const CpuList& list) {
    return list.pool + ":" + list.name + ": ";
}

std::string process_text(int pid) {
    return "process " + std::to_string(pid);
}

Errors not_online(const DirectoryContent& content, const CpuSet& online) {
    Errors errors;
    for (const CpuList* list : content.lists()) {
        const CpuSet missing = list->set() - online;
        if (!missing.empty()) errors.push_back(name_of(*list) + cpus_are(missing) + " not online");
    }
    return errors;
}

Errors against_isolcpus(const DirectoryContent& content, const Topology& topology,
                        const CpuSet& isolated) {
    Errors errors;
    if (topology.cores_within(isolated).empty()) return errors;
    for (const CpuList* list : content.lists()) {
        const bool wanted = list->pool == kExclusivePool || list->pool == kSharedPool;
        const CpuSet wrong = wanted ? list->set() - isolated : list->set() & isolated;
        if (wrong.empty()) continue;
        errors.push_back(name_of(*list) + cpus_are(wrong) + (wanted ? " not " : " ") +
                         "isolated at boot");
    }
    return errors;
}

Errors not_running(const DirectoryContent& content, const ProcFs& procfs) {
    Errors errors;
    for (const CpuList* list : content.lists()) {
        for (const Task& task : list->tasks) {
            if (procfs.is_alive(task)) continue;
            errors.push_back(name_of(*list) + process_text(task.pid) + " is not running");
        }
    }
    return errors;
}

/// Where each process may run: all lists of a pool that name it.
std::map<std::pair<std::string, int>, CpuSet> places_of(const DirectoryContent& content) {
    std::map<std::pair<std::string, int>, CpuSet> places;
    for (const CpuList* list : content.lists()) {
        for (const Task& task : list->tasks)
            places[{list->pool, task.pid}] |= list->set();
    }
    return places;
}

/// A program that has ended meanwhile is nobody's error.
Errors outside_lists(const DirectoryContent& content, const ProcFs& procfs, Recorded recorded) {
    const auto places = places_of(content);
    Errors errors;
    for (const CpuList* list : content.lists()) {
        for (const Task& task : list->tasks) {
            if (!procfs.is_alive(task)) continue;
            std::vector<int> programs;
            if (recorded == Recorded::parent) programs = procfs.children(task.pid);
            if (programs.empty()) programs = {task.pid};
            for (const int pid : programs) {
                const auto allowed = procfs.allowed_cpus(pid);
                if (!allowed || places.at({list->pool, task.pid}).contains_all(*allowed)) continue;
                errors.push_back(name_of(*list) + process_text(pid) + " may run on CPUs " +
                                 allowed->to_cpulist());
            }
        }
    }
    return errors;
}

}  // namespace

Checks further_checks(const DirectoryContent& content, const Topology& topology,
                      const CpuSet& isolated, const ProcFs* procfs, Recorded recorded) {
    Checks checks{{"bootIsolation", against_isolcpus(content, topology, isolated)},
                  {"cpuOnline", not_online(content, topology.cpus())}};
    if (procfs == nullptr) return checks;
    checks["taskLiveness"] = not_running(content, *procfs);
    checks["taskAffinity"] = outside_lists(content, *procfs, recorded);
    return checks;
}

}  // namespace cmk
