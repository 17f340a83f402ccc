// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cmk {

/// CPU ids are 0 ... kMaxCpus-1 (the kernel's largest NR_CPUS on x86-64).
inline constexpr unsigned kMaxCpus = 8192;

/// A set of logical CPU ids. A value type; ids at or above kMaxCpus are never members.
class CpuSet {
public:
    CpuSet() = default;
    CpuSet(std::initializer_list<unsigned> cpus);

    /// Parses the kernel's cpulist syntax: "0-3,8", "0-31:2/4" (of every 4 CPUs the first 2),
    /// "" for none. A trailing newline is allowed, other blanks are not. CPUs may be named again,
    /// but only kMaxCpus times in all. Source: kernel
    /// Documentation/admin-guide/kernel-parameters.rst, "cpu lists". Errors: invalid_argument,
    /// naming the piece and its position.
    static Result<CpuSet> parse(std::string_view cpulist);

    /// All of 0 ... count-1.
    static CpuSet first(unsigned count);

    void add(unsigned cpu);
    void remove(unsigned cpu);
    bool contains(unsigned cpu) const;
    bool contains_all(const CpuSet& other) const;
    bool intersects(const CpuSet& other) const;
    bool empty() const { return words_.empty(); }
    std::size_t count() const;
    /// The lowest id; the set must not be empty.
    unsigned lowest() const;

    CpuSet& operator|=(const CpuSet& other);
    CpuSet& operator&=(const CpuSet& other);
    CpuSet& operator-=(const CpuSet& other);
    friend CpuSet operator|(CpuSet a, const CpuSet& b) { return a |= b; }
    friend CpuSet operator&(CpuSet a, const CpuSet& b) { return a &= b; }
    friend CpuSet operator-(CpuSet a, const CpuSet& b) { return a -= b; }
    friend bool operator==(const CpuSet&, const CpuSet&) = default;

    /// Calls `visit(unsigned)` for each member, ascending.
    template <typename Visit>
    void for_each(Visit&& visit) const {
        for (std::size_t i = 0; i < words_.size(); ++i) {
            for (std::uint64_t rest = words_[i]; rest != 0; rest &= rest - 1) {
                visit(static_cast<unsigned>(i * 64) +
                      static_cast<unsigned>(std::countr_zero(rest)));
            }
        }
    }
    std::vector<unsigned> to_vector() const;

    /// The kernel's form, with ranges: "0-3,8"; "" for none. parse(to_cpulist()) == *this.
    std::string to_cpulist() const;
    /// Every id, comma-separated, as the original CMK writes it: "0,1,2,3,8".
    std::string to_comma_list() const;
    /// Hexadecimal mask without prefix, as the original's CMK_CPUS_ASSIGNED_MASK: "10f".
    std::string to_mask() const;

private:
    void normalize();

    // No trailing zero word, so that == compares sets.
    std::vector<std::uint64_t> words_;
};

}  // namespace cmk
