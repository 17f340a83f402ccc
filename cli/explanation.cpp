// SPDX-License-Identifier: Apache-2.0
#include "cli/explanation.h"

#include <algorithm>

#include "base/text.h"
#include "cli/places.h"

namespace cmk {

namespace {

constexpr std::size_t kShownWays = 4;

/// CPUs of an exclusive pool that are neither free nor under a lease that is seen.
CpuSet hidden_cpus(const Machine& machine, const PoolReport& report) {
    if (report.pool.spec.kind != PoolKind::exclusive) return {};
    CpuSet hidden = report.pool.cpus - report.free;
    for (const Lease& lease : machine.leases) {
        if (lease.pool == report.pool.spec.name) hidden -= lease.cpus;
    }
    return hidden;
}

class Explainer {
public:
    Explainer(const Machine& machine, const Ledger& ledger, const AllocationRequest& request)
        : machine_(machine), topology_(machine.host.topology), ledger_(ledger), request_(request) {}

    Explanation explain() {
        Explanation found{.request = request_};
        const PoolReport* report = report_of(request_.pool);
        const auto cpus = allocate(topology_, ledger_, request_);
        if (!cpus) {
            found.refusal = cpus.error();
        } else if (report != nullptr && report->waiting > 0) {
            found.refusal = queue_error(*report);
        } else {
            found.cpus = *cpus;
            found.places = places_of(topology_, *cpus);
        }
        if (report == nullptr) return found;
        find_holders(*report, found);
        add_notes(*report, found);
        if (found.refusal && report->pool.spec.kind == PoolKind::exclusive) {
            add_alternatives(*report, found);
        }
        return found;
    }

private:
    const PoolReport* report_of(const std::string& pool) const {
        const auto at = std::find_if(machine_.pools.begin(), machine_.pools.end(),
                                     [&](const auto& each) { return each.pool.spec.name == pool; });
        return at == machine_.pools.end() ? nullptr : &*at;
    }

    /// Queues are first come, first served.
    static Error queue_error(const PoolReport& report) {
        return make_error(Errc::not_enough_cpus,
                          counted(report.waiting, "request waits", "requests wait") +
                              " for cores of pool " + quote(report.pool.spec.name) +
                              " already, and those come first");
    }

    void find_holders(const PoolReport& report, Explanation& found) const {
        for (const Lease& lease : machine_.leases) {
            if (lease.pool == request_.pool) found.holders.push_back(lease);
        }
        found.hidden_cores = count_cores(topology_, hidden_cpus(machine_, report));
    }

    void add_notes(const PoolReport& report, Explanation& found) const {
        const bool is_exclusive = report.pool.spec.kind == PoolKind::exclusive;
        if (!is_exclusive) {
            found.notes.push_back(
                "A shared pool gives every lease all of its CPUs; the number of "
                "cores is ignored.");
        }
        const unsigned nodes = count_nodes(topology_, found.cpus);
        if (is_exclusive && nodes > 1) {
            found.notes.push_back("No NUMA node has that many free cores, so they come from " +
                                  std::to_string(nodes) + "; " + most_on_one_node(report));
        }
        if (found.hidden_cores > 0 || report.leases > found.holders.size()) {
            found.notes.push_back(
                "You may not see all leases of this pool: a container sees its "
                "own alone. Ask on the host who holds the rest.");
        }
        found.notes.push_back(
            "Not checked: whether you may lease from this pool, and whether it "
            "can be held at the grade that it requires (" +
            std::string(to_text(report.pool.spec.require_grade)) + ").");
    }

    /// Free cores where the request wants them.
    std::map<unsigned, unsigned> free_by_node(const PoolReport& report) const {
        const Pool* pool = ledger_.pool(report.pool.spec.name);
        std::map<unsigned, unsigned> free;
        for (const Core* core : topology_.cores_within(ledger_.free(*pool))) {
            if (!request_.package || core->package == *request_.package) ++free[core->numa];
        }
        return free;
    }

    std::string most_on_one_node(const PoolReport& report) const {
        unsigned most = 0;
        for (const auto& [node, count] : free_by_node(report))
            most = std::max(most, count);
        return "at most " + std::to_string(most) + " would come from one.";
    }

    bool fits(const Ledger& ledger, const AllocationRequest& request) const {
        const PoolReport* report = report_of(request.pool);
        return report != nullptr && report->waiting == 0 &&
               allocate(topology_, ledger, request).has_value();
    }

    void add_alternatives(const PoolReport& report, Explanation& found) const {
        add_smaller(report, found);
        add_other_packages(found);
        add_other_pools(found);
        add_ends(found);
        if (report.cores >= request_.cores) {
            found.alternatives.push_back("The same later: cmkctl isolate --wait queues for it.");
        }
    }

    void add_smaller(const PoolReport& report, Explanation& found) const {
        unsigned free = 0;
        for (const auto& [node, count] : free_by_node(report))
            free += count;
        AllocationRequest smaller = request_;
        smaller.cores = free;
        if (free == 0 || !fits(ledger_, smaller)) return;
        found.alternatives.push_back(
            counted(free, "core", "cores") +
            (smaller.package ? " on socket " + std::to_string(*smaller.package) : "") + ": CPUs " +
            allocate(topology_, ledger_, smaller)->to_cpulist() + ".");
    }

    void add_other_packages(Explanation& found) const {
        if (!request_.package) return;
        AllocationRequest other = request_;
        for (const unsigned package : topology_.packages()) {
            other.package = package;
            if (fits(ledger_, other)) {
                found.alternatives.push_back("The same on socket " + std::to_string(package) + ".");
            }
        }
        other.package.reset();
        if (fits(ledger_, other))
            found.alternatives.push_back("The same with the socket left open.");
    }

    void add_other_pools(Explanation& found) const {
        for (const PoolReport& report : machine_.pools) {
            const PoolSpec& spec = report.pool.spec;
            if (spec.kind != PoolKind::exclusive || spec.name == request_.pool) continue;
            AllocationRequest other = request_;
            other.pool = spec.name;
            if (fits(ledger_, other)) {
                found.alternatives.push_back("The same from pool " + quote(spec.name) + ".");
            }
        }
    }

    /// Leases of which the end of one alone would be enough.
    void add_ends(Explanation& found) const {
        std::size_t shown = 0;
        for (const Lease& lease : found.holders) {
            Ledger without = ledger_;
            if (!without.apply({.removed = {lease.id}}) || !fits(without, request_)) continue;
            if (++shown > kShownWays) continue;
            std::string text = "The same when lease " + lease.id + " has ended";
            if (!lease.owner.command.empty()) text += " (" + lease.owner.command + ")";
            found.alternatives.push_back(text + ".");
        }
        if (shown > kShownWays) {
            found.alternatives.push_back("Or any of " + std::to_string(shown - kShownWays) +
                                         " more leases.");
        }
    }

    const Machine& machine_;
    const Topology& topology_;
    const Ledger& ledger_;
    const AllocationRequest& request_;
};

}  // namespace

Result<Ledger> rebuild_ledger(const Machine& machine) {
    LedgerDelta delta{.added = machine.leases, .pools = std::vector<Pool>()};
    for (const PoolReport& report : machine.pools) {
        delta.pools->push_back(report.pool);
        const CpuSet hidden = hidden_cpus(machine, report);
        if (hidden.empty()) continue;
        delta.added.push_back({.id = kHiddenLease + report.pool.spec.name,
                               .pool = report.pool.spec.name,
                               .cpus = hidden});
    }
    Ledger ledger;
    CMK_TRY(ledger.apply(std::move(delta)));
    return ledger;
}

Result<Explanation> explain(const Machine& machine, const AllocationRequest& request) {
    CMK_TRY_ASSIGN(const Ledger ledger, rebuild_ledger(machine));
    return Explainer(machine, ledger, request).explain();
}

}  // namespace cmk
