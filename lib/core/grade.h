// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace cmk {

/// How strongly a lease is isolated, as read back from the kernel; A is the strongest.
enum class Grade {
    A,  ///< exclusive partition without load balancing, IRQs and unbound workqueues kept away
    B,  ///< exclusive partition: no other userspace task can run there
    C,  ///< confined by a cpuset; neighbours are possible
    D,  ///< CPU affinity only
};

std::string_view to_text(Grade grade);
std::optional<Grade> grade_from(std::string_view text);

/// True when `grade` is as strong as `wanted` or stronger.
inline bool is_at_least(Grade grade, Grade wanted) {
    return grade <= wanted;
}

}  // namespace cmk
