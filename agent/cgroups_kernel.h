// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/cgroup_mounts.h"
#include "agent/cgroups.h"
#include "base/unique_fd.h"

namespace cmk {

/// Cgroups on the kernel's files, v1 cpuset or v2 member cpusets, in one directory below the
/// mount point. Every CPU write is read back.
class CgroupsKernel final : public Cgroups {
public:
    /// Opens the hierarchy. Changes nothing until the first set_root.
    /// Errors: io; unavailable when the directory cannot be made here.
    static Result<std::unique_ptr<CgroupsKernel>> open(const CpusetMount& mount,
                                                       const std::string& name);

    std::string mechanism() const override;
    bool has_groups() const override { return true; }
    std::string path_in(const std::string& proc_cgroup) const override;
    Status set_root(const CpuSet& cpus) override;
    Status make_pool(const std::string& pool, const CpuSet& cpus) override;
    Status set_pool(const std::string& pool, const CpuSet& cpus) override;
    Status remove_pool(const std::string& pool) override;
    Status make_lease(const LeaseGroup& group, const CpuSet& cpus) override;
    Status remove_lease(const LeaseGroup& group) override;
    Status attach(const LeaseGroup& group, int pid) override;
    Status move_to(const std::string& path, int pid) override;
    Result<CpuSet> effective(const LeaseGroup& group) override;
    CpuSet pool_cpus(const std::string& pool) override;
    CpuSet root_cpus() override;
    Result<std::vector<int>> members(const LeaseGroup& group) override;
    Result<std::vector<std::string>> pools() override;
    Result<std::vector<FoundGroup>> leases() override;

private:
    CgroupsKernel(const CpusetMount& mount, std::string name, UniqueFd top);

    bool is_v1() const { return version_ == CpusetMount::Version::v1; }
    std::string path_of(const LeaseGroup& group) const;
    Status make_root();
    Status claim_root();
    Status make_group(const std::string& path, const CpuSet& cpus, bool is_parent);
    Status set_cpus(const std::string& path, const CpuSet& cpus);
    Status remove_group(const std::string& path);
    Result<std::vector<std::string>> groups_in(const std::string& path);
    CpuSet cpus_of(const std::string& path);

    CpusetMount::Version version_;
    std::string name_;        // of the root, relative to the mount point
    std::string mount_path_;  // for messages
    UniqueFd top_;            // the mount point
    UniqueFd claim_;          // the root, locked: no two agents share it
    std::string mems_;        // v1: what children's cpuset.mems copies
};

}  // namespace cmk
