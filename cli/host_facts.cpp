// SPDX-License-Identifier: Apache-2.0
#include "cli/host_facts.h"

#include <fcntl.h>

#include <algorithm>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

void add_boot_facts(const std::string& cmdline, std::vector<std::string>& facts) {
    for (const std::string_view word : split(trim(cmdline), ' ')) {
        if (word.compare(0, 9, "isolcpus=") == 0) {
            facts.push_back("The kernel was booted with " + std::string(word) +
                            ": counted pools take their cores from these CPUs alone.");
        }
        if (word.compare(0, 10, "nohz_full=") == 0) {
            facts.push_back("The kernel was booted with " + std::string(word) +
                            ": leases on these CPUs run without the timer tick.");
        }
    }
}

bool is_running(const std::string& proc, const std::string& command) {
    const auto names = list_dir_at(AT_FDCWD, proc);
    if (!names) return false;
    return std::any_of(names->begin(), names->end(), [&](const std::string& name) {
        if (!parse_unsigned(name)) return false;
        const auto comm = read_file_at(AT_FDCWD, proc + "/" + name + "/comm");
        return comm && trim(*comm) == command;
    });
}

/// kubelet writes {"policyName":"static",...}; blanks are allowed between.
bool has_static_policy(std::string state) {
    state.erase(std::remove_if(state.begin(), state.end(),
                               [](char c) { return c == ' ' || c == '\n' || c == '\t'; }),
                state.end());
    return state.find("\"policyName\":\"static\"") != std::string::npos;
}

}  // namespace

std::vector<std::string> find_host_facts(const std::string& root) {
    const std::string base = root == "/" ? "" : root;
    std::vector<std::string> facts;
    if (const auto cmdline = read_file_at(AT_FDCWD, base + "/proc/cmdline")) {
        add_boot_facts(*cmdline, facts);
    }
    if (is_running(base + "/proc", "irqbalance")) {
        facts.push_back("irqbalance is running: it may move interrupts onto leased CPUs.");
    }
    const auto kubelet = read_file_at(AT_FDCWD, base + "/var/lib/kubelet/cpu_manager_state");
    if (kubelet && has_static_policy(*kubelet)) {
        facts.push_back(
            "kubelet uses its static CPU policy: it hands out CPUs too, maybe the same ones.");
    }
    return facts;
}

}  // namespace cmk
