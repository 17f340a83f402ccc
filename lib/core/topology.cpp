// SPDX-License-Identifier: Apache-2.0
#include "core/topology.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace cmk {

namespace {

constexpr unsigned kNoCore = ~0U;

/// Groups records into cores, keyed by the records' core index.
Result<std::map<unsigned, Core>> group_cores(const std::vector<CpuRecord>& records) {
    std::map<unsigned, Core> cores;
    for (const CpuRecord& record : records) {
        auto [at, is_new] = cores.try_emplace(record.core);
        Core& core = at->second;
        if (is_new) {
            core = Core{.package = record.package,
                        .numa = record.numa,
                        .llc = record.llc,
                        .kind = record.kind};
        } else if (core.package != record.package) {
            return make_error(Errc::invalid_argument,
                              "core of CPU " + std::to_string(record.cpu) + " spans two packages");
        }
        core.cpus.add(record.cpu);
    }
    return cores;
}

}  // namespace

Result<Topology> Topology::from_records(std::vector<CpuRecord> records) {
    Topology topology;
    if (records.empty()) return make_error(Errc::invalid_argument, "the topology has no CPU");
    std::sort(records.begin(), records.end(),
              [](const CpuRecord& a, const CpuRecord& b) { return a.cpu < b.cpu; });
    for (const CpuRecord& record : records) {
        if (record.cpu >= kMaxCpus || topology.cpus_.contains(record.cpu)) {
            return make_error(Errc::invalid_argument, "CPU " + std::to_string(record.cpu) +
                                                          " is listed twice or beyond " +
                                                          std::to_string(kMaxCpus - 1));
        }
        topology.cpus_.add(record.cpu);
    }
    CMK_TRY_ASSIGN(auto cores, group_cores(records));
    for (auto& [id, core] : cores)
        topology.cores_.push_back(std::move(core));
    std::sort(topology.cores_.begin(), topology.cores_.end(), [](const Core& a, const Core& b) {
        return std::pair(a.package, a.cpus.lowest()) < std::pair(b.package, b.cpus.lowest());
    });

    topology.core_by_cpu_.assign(records.back().cpu + 1, kNoCore);
    std::set<unsigned> packages;
    for (unsigned i = 0; i < topology.cores_.size(); ++i) {
        Core& core = topology.cores_[i];
        core.index = i;
        packages.insert(core.package);
        core.cpus.for_each([&](unsigned cpu) { topology.core_by_cpu_[cpu] = i; });
    }
    topology.packages_.assign(packages.begin(), packages.end());
    topology.records_ = std::move(records);
    return topology;
}

const Core* Topology::core_of(unsigned cpu) const {
    if (cpu >= core_by_cpu_.size() || core_by_cpu_[cpu] == kNoCore) return nullptr;
    return &cores_[core_by_cpu_[cpu]];
}

std::vector<const Core*> Topology::cores_within(const CpuSet& cpus) const {
    std::vector<bool> incomplete(cores_.size());
    (cpus_ - cpus).for_each([&](unsigned cpu) { incomplete[core_by_cpu_[cpu]] = true; });
    std::vector<const Core*> cores;
    for (const Core& core : cores_) {
        if (!incomplete[core.index]) cores.push_back(&core);
    }
    return cores;
}

}  // namespace cmk
