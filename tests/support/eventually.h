// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

namespace cmk::test {

/// Asks until the condition holds, for ten seconds at most. For what the kernel or another
/// process does in its own time.
template <typename Condition>
bool eventually(Condition condition) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
        if (condition()) return true;
        ::poll(nullptr, 0, 10);
    }
    return false;
}

}  // namespace cmk::test
