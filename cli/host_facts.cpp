// SPDX-License-Identifier: Apache-2.0
#include "cli/host_facts.h"

#include <fcntl.h>

#include <algorithm>

#include "base/file_io.h"
#include "base/text.h"
#include "ipc/kubelet.h"

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
    const auto state = read_file_at(AT_FDCWD, base + kKubeletDir + "/" + kCpuManagerFile);
    const auto kubelet = state ? parse_cpu_manager_state(*state) : state.error();
    if (kubelet && kubelet->policy == "static") {
        facts.push_back(
            "kubelet uses its static CPU policy and hands out CPUs too: \"cmk-k8s kubelet-config\" "
            "prints the setting that keeps it off the pools.");
    }
    return facts;
}

}  // namespace cmk
