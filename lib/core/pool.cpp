// SPDX-License-Identifier: Apache-2.0
#include "core/pool.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/text.h"

namespace cmk {

namespace {

template <typename Value, std::size_t Size>
using Names = std::array<std::pair<Value, std::string_view>, Size>;

constexpr Names<PoolKind, 2> kKinds{
    {{PoolKind::exclusive, "exclusive"}, {PoolKind::shared, "shared"}}};
constexpr Names<PoolMode, 2> kModes{{{PoolMode::packed, "packed"}, {PoolMode::spread, "spread"}}};
constexpr Names<Isolation, 4> kIsolations{{{Isolation::automatic, "auto"},
                                           {Isolation::partition, "partition"},
                                           {Isolation::cpuset, "cpuset"},
                                           {Isolation::affinity, "affinity"}}};
constexpr Names<PartitionType, 3> kPartitionTypes{{{PartitionType::member, "member"},
                                                   {PartitionType::root, "root"},
                                                   {PartitionType::isolated, "isolated"}}};
constexpr Names<Grade, 4> kGrades{
    {{Grade::A, "A"}, {Grade::B, "B"}, {Grade::C, "C"}, {Grade::D, "D"}}};

template <typename Value, std::size_t Size>
std::string_view name_of(const Names<Value, Size>& names, Value value) {
    for (const auto& [candidate, name] : names) {
        if (candidate == value) return name;
    }
    return "?";
}

template <typename Value, std::size_t Size>
std::optional<Value> value_of(const Names<Value, Size>& names, std::string_view text) {
    for (const auto& [value, name] : names) {
        if (name == text) return value;
    }
    return std::nullopt;
}

/// What a configuration file may not say either: Reconfigure writes one for the next start.
Status check_size(const PoolSpec& spec, const std::string& pool) {
    const auto* cpus = std::get_if<CpuSet>(&spec.size);
    if (cpus != nullptr && cpus->empty()) {
        return make_error(Errc::invalid_argument,
                          pool + " names no CPU; give it CPUs or a number of cores");
    }
    if (!spec.prefer.empty() && !std::holds_alternative<unsigned>(spec.size)) {
        return make_error(Errc::invalid_argument,
                          pool + " prefers CPUs, which only a pool with a number of cores can do");
    }
    if (std::holds_alternative<RestOfCores>(spec.size) && spec.kind == PoolKind::exclusive) {
        return make_error(Errc::invalid_argument,
                          pool +
                              " wants the rest of the cores, but only a shared pool can have "
                              "it; give it CPUs or a number of cores");
    }
    return {};
}

}  // namespace

std::string_view to_text(PoolKind kind) {
    return name_of(kKinds, kind);
}
std::string_view to_text(PoolMode mode) {
    return name_of(kModes, mode);
}
std::string_view to_text(Isolation isolation) {
    return name_of(kIsolations, isolation);
}
std::string_view to_text(PartitionType type) {
    return name_of(kPartitionTypes, type);
}
std::string_view to_text(Grade grade) {
    return name_of(kGrades, grade);
}
std::optional<PoolKind> pool_kind_from(std::string_view text) {
    return value_of(kKinds, text);
}
std::optional<PoolMode> pool_mode_from(std::string_view text) {
    return value_of(kModes, text);
}
std::optional<Isolation> isolation_from(std::string_view text) {
    return value_of(kIsolations, text);
}
std::optional<PartitionType> partition_type_from(std::string_view text) {
    return value_of(kPartitionTypes, text);
}
std::optional<Grade> grade_from(std::string_view text) {
    return value_of(kGrades, text);
}

bool is_kept_name(std::string_view name) {
    return name == kHolderGroup || name == kReleasedGroup;
}

Status check_specs(const std::vector<PoolSpec>& specs) {
    std::set<std::string_view> names;
    const PoolSpec* rest = nullptr;
    for (const PoolSpec& spec : specs) {
        const std::string pool = "pool " + quote(spec.name);
        if (!is_safe_name(spec.name)) {
            return make_error(Errc::invalid_argument,
                              pool +
                                  " has a bad name: use 1-64 letters, digits, '_', '.' or '-', "
                                  "not starting with '.' or '-'");
        }
        if (is_kept_name(spec.name)) {
            return make_error(Errc::invalid_argument,
                              pool + " has a name that CMK keeps for itself; choose another");
        }
        if (!names.insert(spec.name).second) {
            return make_error(Errc::invalid_argument, pool + " is configured twice");
        }
        CMK_TRY(check_size(spec, pool));
        if (!std::holds_alternative<RestOfCores>(spec.size)) continue;
        if (rest != nullptr) {
            return make_error(Errc::invalid_argument,
                              pool + " and pool " + quote(rest->name) +
                                  " both want the rest of the cores; give one of them a number "
                                  "of cores or CPUs");
        }
        rest = &spec;
    }
    return {};
}

const Pool* find_pool(const std::vector<Pool>& pools, std::string_view name) {
    const auto at = std::find_if(pools.begin(), pools.end(),
                                 [&](const Pool& pool) { return pool.spec.name == name; });
    return at == pools.end() ? nullptr : &*at;
}

}  // namespace cmk
