// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/topology.h"

namespace cmk {

/// The longest file name that Linux file systems take, in bytes.
inline constexpr std::size_t kMaxListName = 255;

/// The names of one CPU list or, where one name cannot hold it, of as few as can. A name has the
/// cores' CPUs in the given order, siblings adjacent ("1,5,2,6"); where that is too long, the
/// sorted set with ranges ("1-2,5-6"), which the original reads everywhere but in `isolate`.
/// No cores: no name.
std::vector<std::string> list_names(const std::vector<const Core*>& cores);

/// The CPUs that a list's name stands for, in its order: single ids and ranges. "" is no CPU.
/// Errors: invalid_argument, naming the piece.
Result<std::vector<unsigned>> parse_list_name(std::string_view name);

}  // namespace cmk
