// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/output.h"

namespace cmk {

/// Texts that came from elsewhere, made printable and folded to the terminal (not for
/// OutputFormat::wide), each with `lead` before its first line.
std::string sentences(const std::string& lead, const std::vector<std::string>& texts,
                      const OutputStyle& style);

}  // namespace cmk
