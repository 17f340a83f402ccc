// SPDX-License-Identifier: Apache-2.0
#include "cli/tenants.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cli/display_text.h"

namespace cmk {

namespace {

// Pools are coloured text, leases filled blocks: what is taken stands out, also in grey.
constexpr std::array<const char*, 2> kExclusivePaints{"32", "92"};
constexpr std::array<const char*, 4> kSharedPaints{"36", "34", "35", "33"};
constexpr std::array<const char*, 6> kLeasePaints{"30;43", "30;46", "30;45",
                                                  "30;42", "97;44", "30;47"};
constexpr char kNonePaint[] = "2";
constexpr std::size_t kLetters = 26;

/// "a" ... "z", or with more leases than letters "aa" ... "zz" ("aaa" ...).
std::string lease_mark(std::size_t number, std::size_t leases) {
    std::string mark;
    for (std::size_t range = 1; range < leases || mark.empty(); range *= kLetters) {
        mark.insert(mark.begin(), static_cast<char>('a' + number % kLetters));
        number /= kLetters;
    }
    return mark;
}

char pool_mark(const std::string& name, const std::string& taken) {
    for (const char c : name + "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
        const char mark = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        if (mark >= 'A' && mark <= 'Z' && taken.find(mark) == std::string::npos) return mark;
    }
    return '?';
}

}  // namespace

Tenants::Tenants(const std::vector<PoolReport>& pools, const std::vector<Lease>& leases) {
    tenants_.push_back({".", {"."}, kNonePaint, false});
    for (const PoolReport& report : pools)
        add_pool(report.pool);
    std::vector<const Lease*> exclusive;
    for (const Lease& lease : leases) {
        const auto pool = std::find_if(pools.begin(), pools.end(), [&](const PoolReport& each) {
            return each.pool.spec.name == lease.pool;
        });
        const bool is_shared = pool != pools.end() && pool->pool.spec.kind == PoolKind::shared;
        if (!is_shared && !lease.cpus.empty()) exclusive.push_back(&lease);
    }
    add_leases(std::move(exclusive));
}

void Tenants::add_pool(const Pool& pool) {
    const bool is_exclusive = pool.spec.kind == PoolKind::exclusive;
    const std::string name = printable(pool.spec.name, false);
    const std::string mark(1, pool_mark(pool.spec.name, taken_marks_));
    taken_marks_ += mark;
    Tenant tenant{mark, {name, mark}, "", false};
    if (is_exclusive) {
        tenant.labels = {name + ": free", mark + " free", mark};
        tenant.paint = kExclusivePaints[exclusive_pools_++ % kExclusivePaints.size()];
    } else {
        tenant.paint = kSharedPaints[shared_pools_++ % kSharedPaints.size()];
    }
    by_pool_[pool.spec.name] = tenants_.size();
    claim(pool.cpus, tenants_.size());
    tenants_.push_back(std::move(tenant));
}

void Tenants::add_leases(std::vector<const Lease*> leases) {
    std::stable_sort(leases.begin(), leases.end(), [](const Lease* a, const Lease* b) {
        return a->cpus.lowest() < b->cpus.lowest();
    });
    for (std::size_t i = 0; i < leases.size(); ++i) {
        const std::string mark = lease_mark(i, leases.size());
        Tenant tenant{mark, {mark}, kLeasePaints[i % kLeasePaints.size()], true};
        const std::string command = printable(leases[i]->owner.command, false);
        if (!command.empty()) tenant.labels = {mark + ": " + command, mark};
        by_lease_[leases[i]->id] = tenants_.size();
        claim(leases[i]->cpus, tenants_.size());
        tenants_.push_back(std::move(tenant));
    }
}

void Tenants::claim(const CpuSet& cpus, std::size_t tenant) {
    cpus.for_each([&](unsigned cpu) {
        if (cpu >= by_cpu_.size()) by_cpu_.resize(cpu + 1);
        by_cpu_[cpu] = tenant;
    });
}

const Tenant& Tenants::of_cpu(unsigned cpu) const {
    return cpu < by_cpu_.size() ? tenants_[by_cpu_[cpu]] : none();
}

const Tenant& Tenants::find(const std::map<std::string, std::size_t>& index,
                            const std::string& key) const {
    const auto at = index.find(key);
    return at == index.end() ? none() : tenants_[at->second];
}

const Tenant& Tenants::of_pool(const std::string& name) const {
    return find(by_pool_, name);
}

const Tenant& Tenants::of_lease(const Lease& lease) const {
    const Tenant& tenant = find(by_lease_, lease.id);
    return &tenant == &none() ? of_pool(lease.pool) : tenant;
}

}  // namespace cmk
