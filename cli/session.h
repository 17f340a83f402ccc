// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/arguments.h"
#include "cli/output.h"
#include "ipc/client.h"

namespace cmk {

/// What every verb can be told.
struct CommonOptions {
    std::string socket = {};
    std::string output = "table";
};

/// The options that every verb takes.
std::vector<Option> common_options(CommonOptions& common);

/// Parses a verb's arguments, common options included. Returns the exit code when the verb is
/// done, having printed its help or what is wrong; `usage_exit` is the code for the latter.
std::optional<int> begin(Syntax syntax, const std::vector<std::string>& arguments,
                         CommonOptions& common, int usage_exit);

/// The syntax of a verb, common options included; what its targets point to is gone.
Syntax syntax_of(int (*run)(const std::vector<std::string>&));

/// The named socket, else CMK_SOCKET, else the default.
std::string socket_path(const CommonOptions& common);

/// How to print for this verb call; the output name was checked by begin().
OutputStyle style_of(const CommonOptions& common);

/// Writes to standard output; the exit code kOk, or kFailure when it cannot be written.
int put(std::string_view text);
/// Writes "cmkctl: <text>" and a line end to standard error.
void complain(std::string_view text);
/// Complains and returns the error's exit code.
int fail(const Error& error);

/// A connection that tells when the agent does not answer for long.
Result<Client> connect(const CommonOptions& common);

/// One call to the agent over a connection of its own.
template <typename Reply>
Result<Reply> ask(const CommonOptions& common, const wire::Method& method) {
    CMK_TRY_ASSIGN(Client client, connect(common));
    return client.call<Reply>(method);
}

}  // namespace cmk
