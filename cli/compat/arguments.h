// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/compat/options.h"

namespace cmk::compat {

/// What a command line asks for.
enum class Action { run, help, version };

/// A command line of the original, understood.
struct Invocation {
    Action action = Action::run;
    /// What follows has a meaning only for Action::run.
    Subcommand subcommand = Subcommand::describe;
    Options options = {};
    std::string command = {};            ///< isolate alone
    std::vector<std::string> args = {};  ///< of the command
    /// The subcommand and its options, their names written out: "--all-hosts" for "--all".
    std::vector<std::string> spelt = {};
};

/// Parses the words after the program's name as the original did: options anywhere before the
/// first "--", `--name=value` or `--name value`, names cut short where that stays unique over all
/// subcommands. The first "--" is dropped before or right after isolate's command; later it is
/// one of the command's arguments.
///
/// Errors: invalid_argument for whatever fits none of the forms; show it with usage_error_text().
Result<Invocation> parse_invocation(const std::vector<std::string>& arguments);

/// What standard error gets before the exit with 1: the reason, then the usage block.
std::string usage_error_text(const Error& error);

}  // namespace cmk::compat
