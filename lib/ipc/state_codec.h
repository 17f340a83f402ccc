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
/// A new version of the format only adds members, which may be absent; whatever the one before it
/// needs stays. So each version reads the next one, ignoring what was added, and the one before.
///
/// decode_* errors: corrupt_state, saying whether the text is foreign, damaged, or lacks what;
/// conflict for a version further away. Never a half-filled value.

/// What is written. Raised with every addition.
inline constexpr unsigned kStateVersion = 1;

std::string encode_lease_state(const Lease& lease);
Result<Lease> decode_lease_state(std::string_view text);

std::string encode_pools_state(const std::vector<Pool>& pools);
Result<std::vector<Pool>> decode_pools_state(std::string_view text);

}  // namespace cmk
