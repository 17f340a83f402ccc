// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

int run_release(const std::vector<std::string>& arguments) {
    CommonOptions common;
    std::vector<std::string> leases;
    const Syntax syntax{
        .verb = "release",
        .about = "Ends leases. Their programs run on, but no longer on cores of their own.",
        .examples = "  cmkctl release 3f9a2c51\n  cmkctl release 3f9a2c51 77ab01d2\n",
        .options = {},
        .words = {.name = "LEASE...",
                  .help = "ids as cmkctl leases shows them",
                  .words = &leases,
                  .required = true}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    auto client = Client::connect(socket_path(common));
    if (!client) return fail(client.error());
    int result = exit_code::kOk;
    for (const std::string& lease : leases) {
        const auto reply = client->call<wire::Nothing>(wire::Release{lease});
        if (reply) continue;
        const int code = fail(with_context(reply.error(), "release " + quote(lease)));
        if (result == exit_code::kOk) result = code;
    }
    return result;
}

}  // namespace cmk
