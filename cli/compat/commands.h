// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "base/result.h"
#include "cli/compat/arguments.h"
#include "cli/compat/environment.h"
#include "cli/compat/log.h"
#include "confdir/directory.h"
#include "ipc/client.h"

namespace cmk::compat {

/// One call of the program, with what it was told.
struct Call {
    Invocation invocation;
    Environment environment;
    Log log;

    const Options& options() const { return invocation.options; }
};

// Each subcommand returns the exit code, or why it failed. The first group works on a directory of
// the original's format, the second asks the agent and prints the same shapes.
Result<int> init_directory_mode(const Call& call);
Result<int> describe_directory(const Call& call);
Result<int> isolate_in_directory(const Call& call);
Result<int> reconcile_directory(const Call& call);
Result<int> report_directory(const Call& call);

Result<int> init_agent(const Call& call, Client& agent);
Result<int> reconfigure_agent(const Call& call, Client& agent);
Result<int> describe_agent(const Call& call, Client& agent);
Result<int> isolate_by_agent(const Call& call, Client& agent);
Result<int> reconcile_agent(const Call& call, Client& agent);
Result<int> report_agent(const Call& call, Client& agent);

/// Puts this program into --install-dir as `cmk`.
Result<int> install(const Call& call);
/// Removes pools and binary. `agent` is null in directory mode.
Result<int> uninstall(const Call& call, Client* agent);

/// The directory that --conf-dir names, with the lock's patience from the environment.
Result<ConfDir> directory_of(const Call& call);

/// Calls it once or, with --interval, until the process is ended; `what` is for the log.
Result<int> repeat(const Call& call, const char* what, const std::function<Status()>& once);

/// Text for standard output. Errors: io.
Status print(std::string_view text);

}  // namespace cmk::compat
