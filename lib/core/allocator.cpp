// SPDX-License-Identifier: Apache-2.0
#include "core/allocator.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "core/core_choice.h"

namespace cmk {

namespace {

constexpr std::size_t kShownLeases = 3;
constexpr std::size_t kShownNodes = 8;

using Cores = std::vector<const Core*>;

Error unknown_pool_error(const Ledger& ledger, const std::string& name) {
    std::vector<std::string> names;
    for (const Pool& pool : ledger.pools())
        names.push_back(quote(pool.spec.name));
    return make_error(Errc::unknown_pool,
                      "no pool " + quote(name) +
                          (names.empty() ? "; no pools are set up yet, see cmkctl init"
                                         : "; there are " + join(names, ", ")));
}

Status check_count(unsigned cores) {
    if (cores >= 1 && cores <= kMaxCpus) return {};
    return make_error(Errc::invalid_argument, "cannot lease " + std::to_string(cores) +
                                                  " cores; ask for 1 to " +
                                                  std::to_string(kMaxCpus));
}

Status check_package(const Topology& topology, unsigned package) {
    const std::vector<unsigned>& packages = topology.packages();
    if (std::find(packages.begin(), packages.end(), package) != packages.end()) return {};
    std::vector<std::string> names;
    for (const unsigned known : packages)
        names.push_back(std::to_string(known));
    return make_error(Errc::invalid_argument, "no package (socket) " + std::to_string(package) +
                                                  "; there are " + join(names, ", "));
}

Cores on_package(Cores cores, std::optional<unsigned> package) {
    const auto elsewhere = [&](const Core* core) { return package && core->package != *package; };
    cores.erase(std::remove_if(cores.begin(), cores.end(), elsewhere), cores.end());
    return cores;
}

Cores without(Cores cores, const CpuSet& cpus) {
    std::erase_if(cores, [&](const Core* core) { return core->cpus.intersects(cpus); });
    return cores;
}

/// Writes a refusal: which bound was hit, what is free where, who holds the rest, what to do.
class Refusal {
public:
    Refusal(const Topology& topology, const Ledger& ledger, const Pool& pool,
            const AllocationRequest& request)
        : ledger_(ledger),
          pool_(pool),
          request_(request),
          all_(on_package(topology.cores_within(pool.cpus), request.package)),
          free_anywhere_(
              without(topology.cores_within(ledger.free(pool)), request.offline | request.noisy)),
          free_(on_package(free_anywhere_, request.package)) {}

    Error error() const {
        std::string text = "pool " + quote(pool_.spec.name) + " cannot give " +
                           counted(request_.cores, "core", "cores") + place() + ": ";
        if (all_.empty()) {
            text += request_.package ? "it has none there" : "it has none";
        } else {
            text += std::to_string(free_.size()) + " of its " +
                    counted(all_.size(), "core", "cores") + (free_.size() == 1 ? " is" : " are") +
                    (request_.noisy.empty() ? " free" : " free and quiet") + where() + noise();
        }
        return make_error(Errc::not_enough_cpus, text + holders() + advice());
    }

private:
    std::string place() const {
        return request_.package ? " on package " + std::to_string(*request_.package) : "";
    }

    /// " (package 0 node 0: 2, package 1 node 1: 0)"
    std::string where() const {
        std::map<std::pair<unsigned, unsigned>, unsigned> free;
        for (const Core* core : all_)
            free[{core->package, core->numa}];
        for (const Core* core : free_)
            ++free[{core->package, core->numa}];
        std::vector<std::string> places;
        for (const auto& [node, count] : free) {
            if (places.size() == kShownNodes) {
                places.push_back("...");
                break;
            }
            places.push_back("package " + std::to_string(node.first) + " NUMA node " +
                             std::to_string(node.second) + ": " + std::to_string(count));
        }
        return " (" + join(places, ", ") + ")";
    }

    /// "; the pool requires grade A, and interrupts or unbound kernel work come to CPUs 3,7"
    std::string noise() const {
        const CpuSet noisy = request_.noisy & pool_.cpus;
        if (noisy.empty()) return "";
        return "; the pool requires grade A, and interrupts or unbound kernel work come to CPUs " +
               noisy.to_cpulist();
    }

    /// "; held by a1 (CPUs 2-3), b2 (CPUs 4-5) and 7 more leases"
    std::string holders() const {
        CpuSet scope;
        for (const Core* core : all_)
            scope |= core->cpus;
        std::vector<std::string> shown;
        std::size_t hidden = 0;
        for (const auto& entry : ledger_.leases()) {
            const Lease& lease = entry.second;
            if (lease.pool != pool_.spec.name || !lease.cpus.intersects(scope)) continue;
            if (shown.size() == kShownLeases) {
                ++hidden;
            } else {
                shown.push_back(lease.id + " (CPUs " + lease.cpus.to_cpulist() + ")");
            }
        }
        if (shown.empty()) return "";
        return "; held by " + join(shown, ", ") +
               (hidden == 0 ? "" : " and " + counted(hidden, "more lease", "more leases"));
    }

    std::string advice() const {
        std::vector<std::string> ways;
        if (!free_.empty()) ways.push_back("ask for at most " + std::to_string(free_.size()));
        if (request_.package && free_anywhere_.size() >= request_.cores) {
            ways.push_back("leave the package open");
        }
        if (all_.size() >= request_.cores) {
            ways.push_back("wait for or release a lease");
        } else {
            ways.push_back("enlarge the pool with cmkctl init");
        }
        return "; " + join(ways, ", or ");
    }

    const Ledger& ledger_;
    const Pool& pool_;
    const AllocationRequest& request_;
    Cores all_;
    Cores free_anywhere_;
    Cores free_;
};

Result<CpuSet> allocate_shared(const Topology& topology, const Pool& pool,
                               const AllocationRequest& request) {
    CpuSet cpus;
    for (const CpuRecord& record : topology.records()) {
        const bool fits = !request.package || record.package == *request.package;
        if (fits && pool.cpus.contains(record.cpu)) cpus.add(record.cpu);
    }
    if (!cpus.empty()) return cpus;
    std::string where = request.package ? " on package " + std::to_string(*request.package) : "";
    return make_error(Errc::not_enough_cpus,
                      "shared pool " + quote(pool.spec.name) + " has no online CPU" + where +
                          "; its CPUs are " + quote(pool.cpus.to_cpulist()) +
                          "; enlarge it with cmkctl init, or use another pool");
}

}  // namespace

Result<CpuSet> allocate(const Topology& topology, const Ledger& ledger,
                        const AllocationRequest& request) {
    const Pool* pool = ledger.pool(request.pool);
    if (pool == nullptr) return unknown_pool_error(ledger, request.pool);
    if (request.package) CMK_TRY(check_package(topology, *request.package));
    if (pool->spec.kind == PoolKind::shared) return allocate_shared(topology, *pool, request);
    CMK_TRY(check_count(request.cores));
    const Cores free =
        without(on_package(topology.cores_within(ledger.free(*pool)), request.package),
                request.offline | request.noisy);
    // The analyzer takes the pool, which the ledger keeps, for one that was freed.
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
    if (free.size() < request.cores) return Refusal(topology, ledger, *pool, request).error();
    return choose_cores(free, request.cores);
}

}  // namespace cmk
