// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "core/cpu_set.h"
#include "core/grade.h"
#include "core/partition.h"

namespace cmk {

/// Exclusive: a core goes to one lease at a time. Shared: every lease gets all of the pool's CPUs.
enum class PoolKind { exclusive, shared };

/// How counted cores are chosen over packages: one package after the other, or round robin.
enum class PoolMode { packed, spread };

/// The strongest mechanism a pool asks for; `automatic` is the strongest the host offers.
enum class Isolation { automatic, partition, cpuset, affinity };

/// What a reader does with members that it does not know. A request, or a file that people wrote,
/// may not be half understood; in what a later version kept, they are what that version added.
enum class Unknown { refused, ignored };

/// All cores that no other pool took.
struct RestOfCores {
    friend bool operator==(RestOfCores, RestOfCores) = default;
};

/// How many cores (unsigned), which CPUs (CpuSet), or the rest.
using PoolSize = std::variant<unsigned, CpuSet, RestOfCores>;

/// Who may lease besides root. Names are resolved where the configuration is read, so that a
/// request never looks one up.
struct PoolAccess {
    std::vector<std::string> users;
    std::vector<std::string> groups;
    bool containers = true;  ///< callers in containers, which uid and groups say nothing about
    std::vector<std::string> units = {};  ///< systemd units, as shell patterns
    std::vector<std::string> pods = {};  ///< of these alone those: ids as shell patterns; none: all
    unsigned cores_per_user = 0;         ///< at most so many of a uid on the host; 0: no bound
    unsigned cores_per_pod = 0;          ///< the same of a pod, or a container without one

    friend bool operator==(const PoolAccess&, const PoolAccess&) = default;
};

/// A pool as configured.
struct PoolSpec {
    std::string name;
    PoolKind kind = PoolKind::shared;
    PoolSize size = RestOfCores{};
    PoolMode mode = PoolMode::packed;
    CpuSet prefer = {};  ///< counted cores are taken from these first, such as the faster ones
    Isolation isolation = Isolation::automatic;
    Grade require_grade = Grade::D;  ///< give nothing weaker
    PoolAccess access = {};

    friend bool operator==(const PoolSpec&, const PoolSpec&) = default;
};

/// A pool with its CPUs on this machine.
struct Pool {
    PoolSpec spec;
    CpuSet cpus;
    bool boot_isolated = false;                       ///< its CPUs are those of isolcpus=
    PartitionType partition = PartitionType::member;  ///< what its group shall be

    friend bool operator==(const Pool&, const Pool&) = default;
};

std::string_view to_text(PoolKind kind);
std::string_view to_text(PoolMode mode);
std::string_view to_text(Isolation isolation);
std::optional<PoolKind> pool_kind_from(std::string_view text);
std::optional<PoolMode> pool_mode_from(std::string_view text);
std::optional<Isolation> isolation_from(std::string_view text);

/// Names of the pools that `init` makes and whose CPUs a leased program is told of.
inline constexpr char kExclusivePool[] = "exclusive";
inline constexpr char kSharedPool[] = "shared";
inline constexpr char kInfraPool[] = "infra";

/// Groups beside the pools in the unit that holds the leases: the unit's own process, and processes
/// of released leases that have no place to go back to.
inline constexpr char kHolderGroup[] = "holder";
inline constexpr char kReleasedGroup[] = "released";

bool is_kept_name(std::string_view name);

/// Names safe, not kept for CMK, and each there once; explicit CPUs not none; preferred CPUs only
/// beside a count; at most one pool with the rest, and that one shared. Errors: invalid_argument.
Status check_specs(const std::vector<PoolSpec>& specs);

/// The pool of that name, or nullptr.
const Pool* find_pool(const std::vector<Pool>& pools, std::string_view name);

}  // namespace cmk
