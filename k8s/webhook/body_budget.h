// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>

namespace cmk::k8s {

/// Bytes of large request bodies that may be held at once, over all connections and threads.
class BodyBudget {
public:
    explicit BodyBudget(std::size_t bytes) : left_(bytes) {}

    /// False, taking nothing, when so many are not left.
    bool take(std::size_t bytes) {
        std::size_t left = left_.load();
        while (left >= bytes) {
            if (left_.compare_exchange_weak(left, left - bytes)) return true;
        }
        return false;
    }
    void give_back(std::size_t bytes) { left_ += bytes; }

private:
    std::atomic<std::size_t> left_;
};

}  // namespace cmk::k8s
