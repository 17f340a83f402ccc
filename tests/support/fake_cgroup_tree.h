// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "core/plan.h"

namespace cmk::test {

/// What the kernel would hold after edits, with its rules: a child's CPUs are part of its parent's
/// at every moment, siblings that are pools share none, a group is never empty of CPUs, and one
/// with children or processes is not removed.
class FakeCgroupTree {
public:
    /// The tree that a ledger stands for.
    static FakeCgroupTree from_ledger(const Ledger& ledger);

    /// Errors: conflict, naming the rule that the edit breaks; the tree is unchanged then.
    Status apply(const Edit& edit);
    Status apply(const Plan& plan);

    friend bool operator==(const FakeCgroupTree&, const FakeCgroupTree&) = default;

private:
    struct LeaseGroup {
        std::string pool;
        CpuSet cpus;

        friend bool operator==(const LeaseGroup&, const LeaseGroup&) = default;
    };

    struct PlacedGroup {
        CpuSet cpus;
        PartitionType partition = PartitionType::member;

        friend bool operator==(const PlacedGroup&, const PlacedGroup&) = default;
    };

    Status set_root(const Edit& edit);
    Status set_reserved(const Edit& edit);
    Status set_partition(const Edit& edit);
    Status make_pool(const Edit& edit);
    Status set_pool(const Edit& edit);
    Status remove_pool(const Edit& edit);
    Status make_lease(const Edit& edit);
    Status make_placed(const Edit& edit);
    Status remove_placed(const Edit& edit);
    Status set_lease(const Edit& edit);
    Status remove_lease(const Edit& edit);
    Status attach(const Edit& edit);
    Status detach(const Edit& edit);
    Status check_pool_cpus(const Edit& edit) const;

    CpuSet root_;
    CpuSet reserved_;
    std::map<std::string, PartitionType> partitions_;
    std::map<std::string, CpuSet> pools_;
    std::map<std::string, LeaseGroup> leases_;   // those with a group
    std::map<std::string, PlacedGroup> placed_;  // by lease
    std::map<std::string, CpuSet> attached_;     // CPUs of the owners that are held
};

}  // namespace cmk::test
