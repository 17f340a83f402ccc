// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "base/text.h"
#include "base/unique_fd.h"
#include "cli/bundle.h"
#include "cli/machine.h"
#include "cli/output_json.h"
#include "cli/output_plans.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

namespace {

/// What the agent says; what it does not say is missing. Returns the groups of units that hold a
/// lease themselves.
std::vector<std::string> add_agent(const CommonOptions& common, Bundle& bundle) {
    constexpr OutputFormat kJson = OutputFormat::json;
    const auto machine = ask_machine(common);
    bundle.files.push_back(
        {"version.json",
         data_of_versions(CMK_VERSION, machine ? machine->host.version : "", kJson)});
    if (!machine) {
        bundle.missing.push_back("all that the agent knows: " + machine.error().message);
        return {};
    }
    const auto& [host, pools, leases] = *machine;
    bundle.files.push_back({"status.json", data_of_machine("Status", host, pools, leases, kJson)});
    bundle.files.push_back(
        {"topology.json", data_of_machine("Topology", host, pools, leases, kJson)});
    bundle.files.push_back({"pools.json", data_of(pools, kJson)});
    bundle.files.push_back({"leases.json", data_of(leases, kJson)});
    const auto verdicts = ask<std::vector<LeaseVerdict>>(common, wire::Verify{""});
    if (verdicts) {
        bundle.files.push_back({"verify.json", data_of(*verdicts, kJson)});
    } else {
        bundle.missing.push_back("verify.json: " + verdicts.error().message);
    }
    std::vector<std::string> groups;
    for (const Lease& lease : leases) {
        if (lease.place.kind == PlaceKind::unit) groups.push_back(lease.owner.cgroup);
    }
    return groups;
}

std::string default_name(std::time_t now) {
    std::tm parts{};
    char text[40] = "";
    if (::gmtime_r(&now, &parts) != nullptr) {
        (void)std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
    }
    return std::string("cmk-bundle-") + text + ".tar";
}

/// Nobody else may read it, and nothing that is there is overwritten.
Status write_new(const std::string& path, std::string_view text) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) return errno_error(errno, "cannot make " + path);
    while (!text.empty()) {
        const ssize_t written = ::write(file.get(), text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            const int number = errno;
            (void)::unlink(path.c_str());
            return errno_error(number, "cannot write " + path);
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace

int run_bundle(const std::vector<std::string>& arguments) {
    CommonOptions common;
    std::vector<std::string> files;
    const Syntax syntax{
        .verb = "bundle",
        .about =
            "Puts what a bug report needs into one tar archive, which only you can read, and\n"
            "lists it: versions, what status, topology, pools, leases and verify say, the\n"
            "kernel and its command line, the cpuset files of CMK's groups, and the agent's\n"
            "configuration. No environment and no command lines of programs; values of keys\n"
            "that sound like secrets are masked. Works without an agent, too.",
        .examples = "  sudo cmkctl bundle\n  sudo cmkctl bundle /tmp/report.tar\n",
        .options = {},
        .words = {.name = "FILE",
                  .help = "where to write it, a new file (default: cmk-bundle-TIME.tar)",
                  .words = &files}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    if (files.size() > 1) {
        complain("bundle: one file, or none for a name of its own");
        return exit_code::kUsage;
    }
    const std::time_t now = std::time(nullptr);
    const std::string path = files.empty() ? default_name(now) : files.front();
    Bundle bundle;
    add_host("/", add_agent(common, bundle), bundle);
    const std::string archive = pack(bundle, static_cast<std::int64_t>(now));
    if (const Status written = write_new(path, archive); !written) return fail(written.error());
    return put(render_bundle(path, bundle, style_of(common)));
}

}  // namespace cmk
