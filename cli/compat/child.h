// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/compat/command_line.h"
#include "cli/compat/signals.h"

namespace cmk::compat {

/// What to start.
struct ChildProgram {
    CommandLine line = {};
    std::string path = {};                      ///< of the first word, as find_program() has it
    std::vector<std::string> environment = {};  ///< "NAME=value"
    /// Called in the child before the program, to set its affinity; its error is start()'s.
    std::function<Status()> prepare = {};
};

/// How a child ended: with a status, or by a signal.
struct ChildEnd {
    int status = 0;
    int signal = 0;  ///< 0 for none

    friend bool operator==(const ChildEnd&, const ChildEnd&) = default;
};

/// The status, or 128 + signal, as shells and container runtimes say it. Dying by the same signal
/// would tell a parent more, but not everywhere: as the first process of a container one cannot
/// kill oneself, and a second core dump would only hide the child's.
int exit_code_of(const ChildEnd& end);

/// A program that runs in our stead while we stay to clean up after it. It is in our process
/// group, so that a terminal treats both as one; it is killed when this process ends first, unless
/// it is set-user-id or has file capabilities (the kernel then drops that request).
class Child {
public:
    /// Starts the program with the mask and dispositions from before `signals`. Signals that came
    /// before that reach it too. Errors: what prepare() returned, cannot_run() of the line when it
    /// cannot be executed (nothing is left then), io.
    static Result<Child> start(const BlockedSignals& signals, const ChildProgram& program);

    pid_t pid() const { return pid_; }

    /// Passes signals on until the child has ended, and reaps it. When the child is stopped from
    /// the terminal this process stops too, so that the shell sees the job stop. A signal that the
    /// terminal has sent to the whole group is not sent again. Errors: io.
    Result<ChildEnd> wait(const BlockedSignals& signals) const;

private:
    explicit Child(pid_t pid) : pid_(pid) {}

    pid_t pid_;
};

}  // namespace cmk::compat
