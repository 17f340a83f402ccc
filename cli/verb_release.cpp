// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

namespace {

struct ReleaseOptions {
    CommonOptions common = {};
    std::vector<std::string> leases = {};
    bool all = false;
};

Syntax syntax_for(ReleaseOptions& options) {
    return {.verb = "release",
            .about =
                "Ends leases. Their programs run on where they came from, no longer on cores\n"
                "of their own.",
            .examples =
                "  cmkctl release 3f9a2c51\n  cmkctl release 3f9a2c51 77ab01d2\n"
                "  cmkctl release --all\n",
            .options = {{"--all", "", "every lease that you may end", &options.all}},
            .words = {.name = "LEASE...",
                      .help = "ids as cmkctl leases shows them",
                      .words = &options.leases}};
}

/// Leases that end meanwhile, or are not the caller's, are none of --all.
bool is_left_out(const Error& error) {
    return error.code == Errc::unknown_lease || error.code == Errc::not_permitted;
}

}  // namespace

int run_release(const std::vector<std::string>& arguments) {
    ReleaseOptions options;
    if (const auto done =
            begin(syntax_for(options), arguments, options.common, exit_code::kUsage)) {
        return *done;
    }
    if (options.all != options.leases.empty()) {
        complain("release: name leases, or give --all; cmkctl leases lists them");
        return exit_code::kUsage;
    }
    auto client = connect(options.common);
    if (!client) return fail(client.error());
    if (options.all) {
        const auto found = client->call<std::vector<Lease>>(wire::ListLeases{});
        if (!found) return fail(found.error());
        for (const Lease& lease : *found)
            options.leases.push_back(lease.id);
    }
    int result = exit_code::kOk;
    for (const std::string& lease : options.leases) {
        const auto reply = client->call<wire::Nothing>(wire::Release{lease});
        if (reply || (options.all && is_left_out(reply.error()))) continue;
        const int code = fail(with_context(reply.error(), "release " + quote(lease)));
        if (result == exit_code::kOk) result = code;
    }
    return result;
}

}  // namespace cmk
