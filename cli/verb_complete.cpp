// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "base/text.h"
#include "cli/candidates.h"
#include "cli/display_text.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

namespace {

/// A shell that waits for candidates takes no key.
constexpr unsigned kPatienceSeconds = 2;

CommonOptions as_given(const std::vector<std::string>& words) {
    CommonOptions common;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        const bool is_cut = words[i + 1] == "=" && i + 2 < words.size();
        if (words[i] == "--socket") common.socket = words[is_cut ? i + 2 : i + 1];
    }
    for (const std::string& word : words) {
        if (word.compare(0, 9, "--socket=") == 0) common.socket = word.substr(9);
    }
    return common;
}

std::vector<Candidate> ask_pools(const CommonOptions& common) {
    std::vector<Candidate> pools;
    const auto found = ask<std::vector<PoolReport>>(common, wire::ListPools{});
    for (const PoolReport& report : found ? *found : std::vector<PoolReport>()) {
        const PoolSpec& spec = report.pool.spec;
        std::string help =
            std::string(to_text(spec.kind)) + ", " + counted(report.cores, "core", "cores");
        if (spec.kind == PoolKind::exclusive) {
            help += ", " + std::to_string(report.free_cores) + " free";
        }
        pools.push_back({spec.name, help});
    }
    return pools;
}

std::vector<Candidate> ask_leases(const CommonOptions& common) {
    std::vector<Candidate> leases;
    const auto found = ask<std::vector<Lease>>(common, wire::ListLeases{});
    for (const Lease& lease : found ? *found : std::vector<Lease>()) {
        leases.push_back({lease.id, lease.pool + ", CPUs " + lease.cpus.to_cpulist() + ", " +
                                        lease.owner.command});
    }
    return leases;
}

std::string lines_of(const Completion& completion) {
    std::string out;
    for (const Candidate& candidate : completion.candidates) {
        out += printable(candidate.word, true);
        if (!candidate.help.empty()) out += "\t" + printable(candidate.help, true);
        out += "\n";
    }
    if (completion.rest == Completion::Rest::files) out += ":files\n";
    if (completion.rest == Completion::Rest::programs) out += ":programs\n";
    return out;
}

}  // namespace

int run_complete(const std::vector<std::string>& arguments) {
    std::vector<std::string> words = arguments;
    if (!words.empty() && words.front() == "--") words.erase(words.begin());
    ::alarm(kPatienceSeconds);
    const CommonOptions common = as_given(words);
    const LiveNames names{.pools = [&] { return ask_pools(common); },
                          .leases = [&] { return ask_leases(common); }};
    return put(lines_of(complete_words(std::move(words), names)));
}

}  // namespace cmk
