// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output.h"

namespace cmk {

/// The names of all formats.
std::vector<std::string> output_formats();
std::optional<OutputFormat> output_format_from(std::string_view text);

/// What standard output can show: asks the terminal and the environment (NO_COLOR, TERM, COLUMNS,
/// LC_ALL, LC_CTYPE, LANG).
OutputStyle detect_style(OutputFormat format);

}  // namespace cmk
