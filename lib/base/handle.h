// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

namespace cmk {

/// Calls a C library's release function; for `Handle`.
template <auto Function>
struct Releaser {
    template <typename T>
    void operator()(T* object) const noexcept {
        Function(object);
    }
};

/// Owns an object of a C library: `Handle<sd_event, sd_event_unref>`.
template <typename T, auto Function>
using Handle = std::unique_ptr<T, Releaser<Function>>;

}  // namespace cmk
