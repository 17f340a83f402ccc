// SPDX-License-Identifier: Apache-2.0
#include "core/lease.h"

namespace cmk {

std::string_view to_text(Hold hold) {
    switch (hold) {
        case Hold::cpuset: return "cpuset";
        case Hold::affinity: return "affinity";
        case Hold::none: return "none";
    }
    return "?";
}

std::string_view to_text(LeaseStatus status) {
    return status == LeaseStatus::intent ? "intent" : "committed";
}

std::string_view to_text(PlaceKind kind) {
    switch (kind) {
        case PlaceKind::pool: return "pool";
        case PlaceKind::child: return "child";
        case PlaceKind::unit: return "unit";
    }
    return "?";
}

std::optional<PlaceKind> place_kind_from(std::string_view text) {
    for (const PlaceKind kind : {PlaceKind::pool, PlaceKind::child, PlaceKind::unit}) {
        if (to_text(kind) == text) return kind;
    }
    return std::nullopt;
}

std::vector<ThreadMask> masks_to_restore(std::vector<ThreadMask> masks, const CpuSet& allowed,
                                         const CpuSet& isolated) {
    const CpuSet all = CpuSet::first(kMaxCpus);
    for (ThreadMask& mask : masks) {
        if (allowed.empty()) continue;
        if (mask.cpus == allowed - isolated) {
            mask.cpus = all - isolated;
        } else if (mask.cpus == allowed) {
            mask.cpus = all;
        }
    }
    return masks;
}

}  // namespace cmk
