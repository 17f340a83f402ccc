// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace cmk::k8s {

/// A Kubernetes resource quantity ("2", "1k", "1e3", "1000m", "0.5Ki") as a count of whole things.
/// The grammar is the API's: sign, decimal number, then nothing, one of n u m k M G T P E, one of
/// Ki Mi Gi Ti Pi Ei, or a decimal exponent.
/// Errors: invalid_argument for what the API server refuses for an extended resource: a text that
/// is no quantity, a fraction ("500m"), a negative number, more than an int64 holds.
Result<std::uint64_t> parse_quantity(std::string_view text);

}  // namespace cmk::k8s
