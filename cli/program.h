// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace cmk {

/// Where a program is, or why it cannot be run.
struct ProgramPath {
    std::string path = {};
    int error = 0;  ///< errno: ENOENT, or EACCES when a file of the name may not be executed
};

/// Finds `name` as execvp(3) does: as it stands when it has a slash, else in the directories of
/// `search_path`, where an empty one is the working directory.
ProgramPath find_program(const std::string& name, std::string_view search_path);

}  // namespace cmk
