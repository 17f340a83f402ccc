// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/lease.h"
#include "core/pool.h"

namespace cmk {

/// What the agent keeps on disk: a line "cmk-<kind> <version> <checksum>", then one line of JSON.
/// The checksum (FNV-1a of the JSON, hexadecimal) finds truncation and damage.
///
/// decode_* errors: corrupt_state, saying whether the text is foreign, of a newer version,
/// damaged, or lacks what; never a half-filled value.

std::string encode_lease_state(const Lease& lease);
Result<Lease> decode_lease_state(std::string_view text);

std::string encode_pools_state(const std::vector<Pool>& pools);
Result<std::vector<Pool>> decode_pools_state(std::string_view text);

}  // namespace cmk
