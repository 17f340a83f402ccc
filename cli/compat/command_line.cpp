// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/command_line.h"

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "cli/program.h"

namespace cmk::compat {

namespace {

constexpr char kShell[] = "/bin/sh";
constexpr std::string_view kBlanks = " \t\n";
/// What means something to a shell within a word. No "=", "%", "{" or "#", which do not there and
/// which paths have.
constexpr std::string_view kShellCharacters = "|&;<>()$`\\\"'*?[";

bool has_blanks(std::string_view word) {
    return word.find_first_of(kBlanks) != std::string_view::npos;
}

bool is_for_shell(std::string_view word) {
    return has_blanks(word) || word.starts_with('~') ||
           word.find_first_of(kShellCharacters) != std::string_view::npos;
}

/// What to add for those who expect the shell; "" when there is nothing to add.
std::string hint_for(const CommandLine& line, int number) {
    if (line.uses_shell || number != ENOENT || line.words.size() < 2 ||
        !has_blanks(line.words.front())) {
        return "";
    }
    return " (a text for the shell must be the only word: quote all of it)";
}

}  // namespace

CommandLine command_line_for(const std::string& command, const std::vector<std::string>& args) {
    if (args.empty() && is_for_shell(command)) {
        return {.words = {kShell, "-c", command}, .uses_shell = true};
    }
    CommandLine line{.words = {command}};
    line.words.insert(line.words.end(), args.begin(), args.end());
    return line;
}

Error cannot_run(const CommandLine& line, int number) {
    std::string what =
        "cannot run " + quote(line.uses_shell ? line.words.back() : line.words.front());
    if (line.uses_shell) what += std::string(", which needs the shell ") + kShell;
    Error error = errno_error(number, what);
    error.code = Errc::unavailable;
    error.message += hint_for(line, number);
    return error;
}

Result<std::string> program_path(const CommandLine& line) {
    const char* search_path = std::getenv("PATH");
    const ProgramPath found =
        find_program(line.words.front(), search_path == nullptr ? "/bin:/usr/bin" : search_path);
    if (found.error != 0) return cannot_run(line, found.error);
    return found.path;
}

int exit_code_of(const Error& error) {
    if (error.code != Errc::unavailable || error.sys_errno == 0) return 1;
    return error.sys_errno == ENOENT || error.sys_errno == ENOTDIR ? 127 : 126;
}

}  // namespace cmk::compat
