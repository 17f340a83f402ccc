// SPDX-License-Identifier: Apache-2.0
#include "confdir/layout.h"

#include "confdir/list_name.h"

namespace cmk {

namespace {

using Cores = std::vector<const Core*>;

std::vector<std::string> names_of(const Cores& cores, bool exclusive) {
    if (!exclusive) return list_names(cores);
    std::vector<std::string> names;
    for (const Core* core : cores) {
        for (std::string& name : list_names({core}))
            names.push_back(std::move(name));
    }
    return names;
}

PoolLayout layout_of(const Pool& pool, const Topology& topology) {
    std::map<unsigned, Cores> cores;
    for (const unsigned package : topology.packages())
        cores[package] = {};
    for (const Core* core : topology.cores_within(pool.cpus))
        cores[core->package].push_back(core);
    PoolLayout layout{
        .name = pool.spec.name, .exclusive = pool.spec.kind == PoolKind::exclusive, .sockets = {}};
    for (const auto& [package, list] : cores)
        layout.sockets[package] = names_of(list, layout.exclusive);
    return layout;
}

}  // namespace

std::vector<PoolLayout> make_layout(const PoolPlan& plan, const Topology& topology) {
    std::vector<PoolLayout> layouts;
    for (const Pool& pool : plan.pools)
        layouts.push_back(layout_of(pool, topology));
    return layouts;
}

}  // namespace cmk
