// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/table.h"
#include "core/report.h"

namespace cmk {

/// Who has CPUs, as picture and tables show it.
struct Tenant {
    std::string mark;                 ///< "a" for a lease, "E" for a pool, "." for none
    std::vector<std::string> labels;  ///< what to write where there is room, longest first
    Paint paint;
    bool is_lease = false;
};

/// Gives every pool and every lease of an exclusive pool a mark and a colour. Leases get
/// lower-case letters from left to right, pools the capital of their name where it is free.
class Tenants {
public:
    Tenants(const std::vector<PoolReport>& pools, const std::vector<Lease>& leases);

    const Tenant& of_cpu(unsigned cpu) const;
    const Tenant& of_pool(const std::string& name) const;
    /// A lease in a shared pool is shown as its pool.
    const Tenant& of_lease(const Lease& lease) const;
    const Tenant& none() const { return tenants_.front(); }

private:
    void add_pool(const Pool& pool);
    void add_leases(std::vector<const Lease*> leases);
    const Tenant& find(const std::map<std::string, std::size_t>& index,
                       const std::string& key) const;
    void claim(const CpuSet& cpus, std::size_t tenant);

    std::vector<Tenant> tenants_;
    std::vector<std::size_t> by_cpu_;
    std::map<std::string, std::size_t> by_pool_;
    std::map<std::string, std::size_t> by_lease_;
    std::string taken_marks_;
    std::size_t exclusive_pools_ = 0;
    std::size_t shared_pools_ = 0;
};

}  // namespace cmk
