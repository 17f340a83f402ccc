// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <cstring>

namespace cmk {

Error errno_error(int number, const std::string& what) {
    char buffer[128];
    return Error{Errc::io, number, what + ": " + ::strerror_r(number, buffer, sizeof buffer)};
}

}  // namespace cmk
