// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cmk {

/// An archive of plain files in the ustar format of POSIX (pax, "ustar Interchange Format"), all of
/// them of root and for their owner alone.
class TarArchive {
public:
    /// `time`: what all files say when they were changed, in seconds since the epoch.
    explicit TarArchive(std::int64_t time) : time_(time) {}

    /// Errors: invalid_argument for a name that the format cannot hold (100 bytes, or 255 with a
    /// slash in the right place), and for a file of 8 GiB or more.
    Status add(const std::string& name, std::string_view content);

    /// The archive, whole.
    std::string text() &&;

private:
    std::int64_t time_;
    std::string out_;
};

}  // namespace cmk
