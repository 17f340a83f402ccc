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
    bool has_groups() const override { return false; }
    std::string path_in(const std::string&) const override { return "/"; }
    Status set_root(const CpuSet&) override { return {}; }
    Status make_pool(const std::string&, const CpuSet&) override { return {}; }
    Status set_pool(const std::string&, const CpuSet&) override { return {}; }
    Status remove_pool(const std::string&) override { return {}; }
    Status make_lease(const LeaseGroup&, const CpuSet&) override { return {}; }
    Status remove_lease(const LeaseGroup&) override { return {}; }
    Status attach(const LeaseGroup&, int) override { return {}; }
    Status move_to(const std::string&, int) override { return {}; }
    Result<CpuSet> effective(const LeaseGroup&) override { return CpuSet{}; }
    CpuSet pool_cpus(const std::string&) override { return {}; }
    CpuSet root_cpus() override { return {}; }
    Result<std::vector<int>> members(const LeaseGroup&) override { return std::vector<int>{}; }
    Result<std::vector<std::string>> pools() override { return std::vector<std::string>{}; }
    Result<std::vector<FoundGroup>> leases() override { return std::vector<FoundGroup>{}; }
};

}  // namespace cmk
