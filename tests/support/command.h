// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"

namespace cmk::test {

/// What a finished command left.
struct Outcome {
    int exit = -1;    ///< exit code, or -1
    int signal = 0;   ///< the signal that ended it, or 0
    std::string out;  ///< stdout
    std::string err;  ///< stderr
};

/// A program started by a test; ended and reaped with the object.
class Command {
public:
    struct Options {
        std::map<std::string, std::string> env = {};  ///< added to the test's own
        unsigned clone_flags = 0;  ///< CLONE_NEWPID, CLONE_NEWUSER: the program's own namespaces
        unsigned uid = 0;          ///< run as this user when not 0
        bool pipe_output = true;   ///< else inherits stdout and stderr
    };

    explicit Command(std::vector<std::string> args) : Command(std::move(args), Options{}) {}
    Command(std::vector<std::string> args, Options options);
    Command(Command&& other) noexcept
        : pid_(std::exchange(other.pid_, -1)),
          out_(std::move(other.out_)),
          err_(std::move(other.err_)),
          outcome_(std::move(other.outcome_)) {}
    ~Command();

    pid_t pid() const { return pid_; }
    /// Reads stdout up to and with the first `text`; fails the test after ten seconds.
    bool wait_for_output(const std::string& text);
    /// What was read of stdout so far.
    const std::string& output() const { return outcome_.out; }
    void send_signal(int number) const;
    /// Reads the rest of its output and reaps it.
    Outcome finish();

private:
    pid_t pid_ = -1;
    UniqueFd out_;
    UniqueFd err_;
    Outcome outcome_;
};

/// Runs to the end.
Outcome run(std::vector<std::string> args);
Outcome run(std::vector<std::string> args, Command::Options options);

}  // namespace cmk::test
