// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace cmk::compat {

/// How isolate's command is run: the words that are executed, the program first.
struct CommandLine {
    std::vector<std::string> words = {};
    bool uses_shell = false;  ///< the words are the shell's, and the command a text for it

    friend bool operator==(const CommandLine&, const CommandLine&) = default;
};

/// A command alone that holds blanks or characters of the shell ("env | grep CMK") is a text for
/// /bin/sh. Any other is a program that is executed with its arguments as they are.
CommandLine command_line_for(const std::string& command, const std::vector<std::string>& args);

/// That the program was not found or cannot be executed, with the errno and the likely reason.
/// Its code is Errc::unavailable.
Error cannot_run(const CommandLine& line, int number);

/// Where its program is, by PATH. Errors: cannot_run().
Result<std::string> program_path(const CommandLine& line);

/// What cmk exits with for an error of cannot_run(): 127 for a program that was not found, else
/// 126; and 1, as for every failure of its own, for all other errors.
int exit_code_of(const Error& error);

}  // namespace cmk::compat
