// SPDX-License-Identifier: Apache-2.0
#include "cli/places.h"

#include <map>
#include <set>
#include <tuple>

namespace cmk {

std::vector<std::string> places_of(const Topology& topology, const CpuSet& cpus) {
    std::map<std::tuple<unsigned, unsigned, unsigned>, CpuSet> by_place;
    for (const CpuRecord& record : topology.records()) {
        if (!cpus.contains(record.cpu)) continue;
        by_place[{record.package, record.numa, record.llc}].add(record.cpu);
    }
    std::vector<std::string> texts;
    for (const auto& [place, members] : by_place) {
        const auto& [package, numa, llc] = place;
        texts.push_back((members.count() == 1 ? "CPU " : "CPUs ") + members.to_cpulist() +
                        " of socket " + std::to_string(package) + ", NUMA node " +
                        std::to_string(numa) + ", LLC " + std::to_string(llc));
    }
    return texts;
}

unsigned count_nodes(const Topology& topology, const CpuSet& cpus) {
    std::set<unsigned> nodes;
    for (const CpuRecord& record : topology.records()) {
        if (cpus.contains(record.cpu)) nodes.insert(record.numa);
    }
    return static_cast<unsigned>(nodes.size());
}

}  // namespace cmk
