// SPDX-License-Identifier: Apache-2.0
#include "support/fake_cgroup_tree.h"

namespace cmk::test {

namespace {

Error broken(const Edit& edit, const std::string& rule) {
    return make_error(Errc::conflict, std::string(to_text(edit.kind)) + " " + edit.pool + "/" +
                                          edit.lease + " [" + edit.cpus.to_cpulist() +
                                          "]: " + rule);
}

}  // namespace

FakeCgroupTree FakeCgroupTree::from_ledger(const Ledger& ledger) {
    FakeCgroupTree tree;
    for (const Pool& pool : ledger.pools())
        tree.root_ |= pool.cpus;
    for (const Pool& pool : standing_pools(ledger)) {
        if (!pool.cpus.empty() && pool.partition != PartitionType::member) {
            tree.reserved_ |= pool.cpus;
            tree.partitions_[pool.spec.name] = pool.partition;
        }
        if (!pool.cpus.empty()) tree.pools_[pool.spec.name] = pool.cpus;
    }
    for (const auto& [id, lease] : ledger.leases()) {
        if (lease.is_in_place()) {
            tree.placed_[id] = {lease.cpus,
                                lease_edit(EditKind::make_lease, lease, ledger.pools()).partition};
        } else if (lease.hold == Hold::cpuset) {
            tree.leases_[id] = {lease.pool, lease.cpus};
        }
        if (lease.hold != Hold::none) tree.attached_[id] = lease.cpus;
    }
    return tree;
}

Status FakeCgroupTree::apply(const Plan& plan) {
    for (const Edit& edit : plan)
        CMK_TRY(apply(edit));
    return {};
}

Status FakeCgroupTree::apply(const Edit& edit) {
    switch (edit.kind) {
        case EditKind::set_root: return set_root(edit);
        case EditKind::set_reserved: return set_reserved(edit);
        case EditKind::make_pool: return make_pool(edit);
        case EditKind::set_pool: return set_pool(edit);
        case EditKind::remove_pool: return remove_pool(edit);
        case EditKind::make_lease: return make_lease(edit);
        case EditKind::set_lease: return set_lease(edit);
        case EditKind::remove_lease: return remove_lease(edit);
        case EditKind::attach: return attach(edit);
        case EditKind::detach: return detach(edit);
    }
    return broken(edit, "unknown edit");
}

Status FakeCgroupTree::set_root(const Edit& edit) {
    if (edit.before != root_) return broken(edit, "root was " + root_.to_cpulist());
    if (edit.cpus == root_) return broken(edit, "changes nothing");
    for (const auto& entry : pools_) {
        if (!edit.cpus.contains_all(entry.second)) {
            return broken(edit, "pool " + entry.first + " is not inside");
        }
    }
    root_ = edit.cpus;
    return {};
}

Status FakeCgroupTree::set_reserved(const Edit& edit) {
    if (edit.before != reserved_) return broken(edit, "reserved was " + reserved_.to_cpulist());
    if (edit.cpus == reserved_) return broken(edit, "changes nothing");
    for (const auto& [id, placed] : placed_) {
        if (placed.partition != PartitionType::member && placed.cpus.intersects(edit.cpus)) {
            return broken(edit, "lease " + id + " holds some in place");
        }
    }
    for (const auto& [name, type] : partitions_) {
        if (!edit.cpus.contains_all(pools_.at(name))) {
            return broken(edit, "the partition " + name + " is not inside");
        }
    }
    reserved_ = edit.cpus;
    return {};
}

/// A partition has only what the groups above it reserve.
Status FakeCgroupTree::set_partition(const Edit& edit) {
    partitions_.erase(edit.pool);
    if (edit.partition == PartitionType::member) return {};
    if (!reserved_.contains_all(edit.cpus)) {
        return broken(edit, "reserved is " + reserved_.to_cpulist());
    }
    partitions_[edit.pool] = edit.partition;
    return {};
}

Status FakeCgroupTree::check_pool_cpus(const Edit& edit) const {
    if (edit.cpus.empty()) return broken(edit, "a group without CPUs");
    if (!root_.contains_all(edit.cpus)) return broken(edit, "root has " + root_.to_cpulist());
    for (const auto& entry : pools_) {
        if (entry.first != edit.pool && entry.second.intersects(edit.cpus)) {
            return broken(edit, "overlaps pool " + entry.first);
        }
    }
    return {};
}

Status FakeCgroupTree::make_pool(const Edit& edit) {
    CMK_TRY(check_pool_cpus(edit));
    if (!pools_.emplace(edit.pool, edit.cpus).second) return broken(edit, "exists");
    return set_partition(edit);
}

Status FakeCgroupTree::set_pool(const Edit& edit) {
    CMK_TRY(check_pool_cpus(edit));
    const auto at = pools_.find(edit.pool);
    if (at == pools_.end()) return broken(edit, "does not exist");
    if (at->second != edit.before) return broken(edit, "was " + at->second.to_cpulist());
    if (at->second == edit.cpus && edit.partition == edit.partition_before) {
        return broken(edit, "changes nothing");
    }
    for (const auto& entry : leases_) {
        if (entry.second.pool == edit.pool && !edit.cpus.contains_all(entry.second.cpus)) {
            return broken(edit, "lease " + entry.first + " is not inside");
        }
    }
    at->second = edit.cpus;
    return set_partition(edit);
}

Status FakeCgroupTree::remove_pool(const Edit& edit) {
    const auto at = pools_.find(edit.pool);
    if (at == pools_.end() || at->second != edit.cpus) return broken(edit, "is not that");
    for (const auto& entry : leases_) {
        if (entry.second.pool == edit.pool) return broken(edit, "holds lease " + entry.first);
    }
    pools_.erase(at);
    partitions_.erase(edit.pool);
    return {};
}

/// One partition has a CPU, and nobody else may reserve it.
Status FakeCgroupTree::make_placed(const Edit& edit) {
    if (edit.cpus.empty()) return broken(edit, "a group without CPUs");
    if (edit.partition != PartitionType::member) {
        if (reserved_.intersects(edit.cpus)) return broken(edit, "they are reserved for the pools");
        for (const auto& [id, placed] : placed_) {
            if (placed.partition != PartitionType::member && placed.cpus.intersects(edit.cpus)) {
                return broken(edit, "lease " + id + " has them");
            }
        }
    }
    const bool is_new = placed_.emplace(edit.lease, PlacedGroup{edit.cpus, edit.partition}).second;
    return is_new ? Status{} : broken(edit, "exists");
}

Status FakeCgroupTree::remove_placed(const Edit& edit) {
    const auto at = placed_.find(edit.lease);
    if (at == placed_.end() || at->second.cpus != edit.cpus) return broken(edit, "is not that");
    if (attached_.count(edit.lease) != 0) return broken(edit, "holds processes");
    placed_.erase(at);
    return {};
}

Status FakeCgroupTree::make_lease(const Edit& edit) {
    if (edit.place.kind != PlaceKind::pool) return make_placed(edit);
    const auto pool = pools_.find(edit.pool);
    if (edit.cpus.empty()) return broken(edit, "a group without CPUs");
    if (pool == pools_.end() || !pool->second.contains_all(edit.cpus)) {
        return broken(edit, "is not inside its pool");
    }
    if (!leases_.emplace(edit.lease, LeaseGroup{edit.pool, edit.cpus}).second) {
        return broken(edit, "exists");
    }
    return {};
}

Status FakeCgroupTree::set_lease(const Edit& edit) {
    const auto at = leases_.find(edit.lease);
    const auto pool = pools_.find(edit.pool);
    if (at == leases_.end() || at->second.cpus != edit.before) return broken(edit, "is not that");
    if (edit.cpus.empty() || pool == pools_.end() || !pool->second.contains_all(edit.cpus)) {
        return broken(edit, "is not inside its pool");
    }
    at->second.cpus = edit.cpus;
    attached_[edit.lease] = edit.cpus;
    return {};
}

Status FakeCgroupTree::remove_lease(const Edit& edit) {
    if (edit.place.kind != PlaceKind::pool) return remove_placed(edit);
    const auto at = leases_.find(edit.lease);
    if (at == leases_.end() || !(at->second == LeaseGroup{edit.pool, edit.cpus})) {
        return broken(edit, "is not that");
    }
    if (attached_.count(edit.lease) != 0) return broken(edit, "holds processes");
    leases_.erase(at);
    return {};
}

Status FakeCgroupTree::attach(const Edit& edit) {
    const auto at = leases_.find(edit.lease);
    if (at != leases_.end() && at->second.cpus != edit.cpus) return broken(edit, "other CPUs");
    if (!attached_.emplace(edit.lease, edit.cpus).second) return broken(edit, "is attached");
    return {};
}

Status FakeCgroupTree::detach(const Edit& edit) {
    const auto at = attached_.find(edit.lease);
    if (at == attached_.end() || at->second != edit.cpus) return broken(edit, "is not attached");
    attached_.erase(at);
    return {};
}

}  // namespace cmk::test
