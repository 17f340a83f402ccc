// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/cgroups.h"

namespace cmk {

/// Where no cpuset hierarchy can be used: there are no groups, and leases are held by affinity.
class CgroupsAffinity final : public Cgroups {
public:
    std::string mechanism() const override { return "affinity"; }
    Abilities abilities() const override { return {}; }
    std::string path_in(const std::string&) const override { return "/"; }
    Status set_root(const CpuSet&) override { return {}; }
    Status set_reserved(const CpuSet&) override { return {}; }
    Status make_pool(const std::string&, const CpuSet&, PartitionType) override { return {}; }
    Status set_pool(const std::string&, const CpuSet&, PartitionType) override { return {}; }
    Status remove_pool(const std::string&) override { return {}; }
    std::optional<Place> place_for(CallerKind, const std::string&) const override {
        return Place{};
    }
    bool is_alone(const std::string&, int) const override { return false; }
    Status make_lease(const LeaseGroup&, const CpuSet&, PartitionType) override { return {}; }
    Status remove_lease(const LeaseGroup&, const CpuSet&) override { return {}; }
    Status copy_limits(const LeaseGroup&, const std::string&) override { return {}; }
    Status attach(const LeaseGroup&, int) override { return {}; }
    Status move_to(const std::string&, int) override { return {}; }
    Result<Confinement> confinement(const LeaseGroup&) override { return Confinement{}; }
    CpuSet allowed_in(const std::string&) override { return {}; }
    PoolState pool_state(const std::string&) override { return {}; }
    std::string rivals(const std::string&, const CpuSet&) override { return ""; }
    UniqueFd watch_partition(const std::string&) override { return {}; }
    UniqueFd watch_lease(const LeaseGroup&) override { return {}; }
    bool clear_stale(const CpuSet&, const std::vector<FoundGroup>&) override { return false; }
    std::string home_problem() override { return ""; }
    std::vector<UniqueFd> watch_homes() override { return {}; }
    Result<CpuSet> lost_cpus() override { return CpuSet{}; }
    Status return_lost(const CpuSet&) override { return {}; }
    Result<std::vector<int>> members(const LeaseGroup&) override { return std::vector<int>{}; }
    Result<std::vector<std::string>> pools() override { return std::vector<std::string>{}; }
    Result<std::vector<FoundGroup>> leases() override { return std::vector<FoundGroup>{}; }
};

}  // namespace cmk
