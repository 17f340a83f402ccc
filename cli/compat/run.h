// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cmk::compat {

/// Is the program called by the original's name: a file `cmk`, or `cmk.py` as in its image,
/// wherever it lies?
bool is_original_name(std::string_view program);

/// The program under the original's name: its command lines, outputs and exit codes (1 for every
/// failure of its own). `arguments`: the words after the program's name.
int run(const std::vector<std::string>& arguments);

}  // namespace cmk::compat
