// SPDX-License-Identifier: Apache-2.0
#include "hw/kernel_work.h"

#include <fcntl.h>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

std::optional<CpuSet> read_list(const std::string& path) {
    const auto text = read_file_at(AT_FDCWD, path);
    auto cpus = text ? CpuSet::parse(*text) : Result<CpuSet>(text.error());
    return cpus ? *std::move(cpus) : std::optional<CpuSet>();
}

/// An interrupt that is shut down comes nowhere, wherever it may come.
CpuSet read_target(const std::string& directory) {
    auto cpus = read_list(directory + "/effective_affinity_list");
    if (!cpus) cpus = read_list(directory + "/smp_affinity_list");
    return cpus ? *std::move(cpus) : CpuSet{};
}

/// "00000000,000000f3": 32 bits a word, the lowest last.
std::optional<CpuSet> parse_mask(std::string_view text) {
    if (text.empty()) return std::nullopt;
    CpuSet cpus;
    unsigned cpu = 0;
    for (auto at = text.rbegin(); at != text.rend(); ++at) {
        if (*at == ',') continue;
        const auto digit = std::string_view("0123456789abcdef").find(*at);
        if (digit == std::string_view::npos) return std::nullopt;
        for (unsigned bit = 0; bit < 4; ++bit) {
            if ((digit >> bit & 1U) != 0) cpus.add(cpu + bit);
        }
        cpu += 4;
    }
    return cpus;
}

/// The directory of the interrupt has one for each of its users.
std::string user_of(const std::string& directory) {
    const auto names = list_dir_at(AT_FDCWD, directory);
    for (const std::string& name : names ? *names : std::vector<std::string>{}) {
        if (list_dir_at(AT_FDCWD, directory + "/" + name)) return name;
    }
    return "";
}

}  // namespace

std::vector<Interrupt> read_interrupts(const std::string& root) {
    std::vector<Interrupt> interrupts;
    const auto names = list_dir_at(AT_FDCWD, root + "/proc/irq");
    for (const std::string& number : names ? *names : std::vector<std::string>{}) {
        const std::string directory = root + "/proc/irq/" + number;
        if (!parse_unsigned(number)) continue;
        const std::string user = user_of(directory);
        CpuSet cpus = read_target(directory);
        if (!user.empty() && !cpus.empty()) interrupts.push_back({number, user, std::move(cpus)});
    }
    return interrupts;
}

std::optional<CpuSet> read_unbound_cpus(const std::string& root) {
    const auto mask = read_file_at(AT_FDCWD, root + "/sys/devices/virtual/workqueue/cpumask");
    if (!mask) return std::nullopt;
    return parse_mask(trim(*mask));
}

CpuSet quiet_of(const CpuSet& cpus, const std::string& root) {
    const auto unbound = read_unbound_cpus(root);
    const auto interrupts = read_interrupts(root);
    if (!unbound || interrupts.empty()) return {};
    CpuSet quiet = cpus - *unbound;
    for (const Interrupt& each : interrupts)
        quiet -= each.cpus;
    return quiet;
}

}  // namespace cmk
