// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace cmk {

namespace {

/// 0, or the errno that exec would end with.
int check_program(const std::string& path) {
    struct stat entry {};
    if (::access(path.c_str(), X_OK) != 0) return errno;
    if (::stat(path.c_str(), &entry) != 0) return errno;
    return S_ISREG(entry.st_mode) ? 0 : EACCES;
}

}  // namespace

ProgramPath find_program(const std::string& name, std::string_view search_path) {
    if (name.empty()) return {.error = ENOENT};
    if (name.find('/') != std::string::npos) return {name, check_program(name)};
    ProgramPath found{.error = ENOENT};
    for (const std::string_view directory : split(search_path, ':')) {
        found.path = directory.empty() ? "" : std::string(directory) + "/";
        found.path += directory.empty() ? "./" + name : name;
        const int error = check_program(found.path);
        if (error == 0) return {found.path, 0};
        if (error == EACCES) found.error = EACCES;
    }
    return found;
}

}  // namespace cmk
