// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/command.h"

namespace cmk::test {

/// A real agent in the foreground on this machine's real cpusets, in a temporary directory and a
/// group named cmk-test-PID-N. Whatever happens, its destructor ends it and every process left in
/// its leases, removes its groups and its directory.
class AgentProcess {
public:
    struct Setup {
        std::string config = "";  ///< TOML beside what the test needs itself
        std::string bus = "none";
        std::vector<std::string> wrapper = {};  ///< a command line to run the agent under (strace)
    };

    AgentProcess() : AgentProcess(Setup{}) {}
    explicit AgentProcess(Setup setup);
    ~AgentProcess();

    /// Starts and waits until it serves; false when it ends instead.
    bool start();
    /// SIGTERM, and waits for the end.
    Outcome stop();
    /// SIGKILL.
    void crash();
    void send_signal(int number) const { command_->send_signal(number); }
    bool is_running() const { return command_ != nullptr; }
    pid_t pid() const { return command_->pid(); }
    /// What it wrote when it ended.
    Outcome finish();

    /// Runs cmkctl against it.
    Outcome ctl(std::vector<std::string> args) const;
    std::vector<std::string> ctl_line(std::vector<std::string> args) const;
    /// `cmkctl init` with that many exclusive and shared cores.
    Outcome init(unsigned exclusive, unsigned shared) const;

    std::string socket() const { return dir_ + "/agent.sock"; }
    std::string state_dir() const { return dir_ + "/state"; }
    std::string config_file() const { return dir_ + "/agent.toml"; }
    /// The directory of its groups in the cpuset hierarchy.
    std::string group_dir() const;
    /// Names below group_dir()/<pool>: its leases' groups.
    std::vector<std::string> lease_groups(const std::string& pool) const;

private:
    void remove_groups() const;

    Setup setup_;
    std::string dir_;
    std::string group_name_;
    std::unique_ptr<Command> command_;
};

/// Where the programs under test were built; from $CMK_BUILD_DIR.
std::string built(const std::string& program);

/// CPUs of the machine's first core, as init gives them away; kernel cpulist syntax.
std::string first_core();

/// The mount point of the v1 cpuset hierarchy, or "".
std::string cpuset_v1_mount();

}  // namespace cmk::test
