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

}  // namespace cmk
