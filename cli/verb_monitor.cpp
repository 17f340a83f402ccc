// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>
#include <csignal>
#include <ctime>

#include "cli/session.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

namespace {

/// Every event is written whole before the next is read, so nothing is lost by ending at once.
void end_on_interrupt(int) {
    ::_exit(exit_code::kOk);
}

}  // namespace

int run_monitor(const std::vector<std::string>& arguments) {
    CommonOptions common;
    const Syntax syntax{.verb = "monitor",
                        .about =
                            "Prints lease and pool events as they happen, a line (with -o json\n"
                            "an object) for each, until interrupted. Exits 5 when the agent\n"
                            "goes away.",
                        .examples = "  cmkctl monitor\n  cmkctl monitor -o json\n",
                        .options = {}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    std::signal(SIGINT, end_on_interrupt);
    OutputStyle style = style_of(common);
    auto client = Client::connect(socket_path(common));
    if (!client) return fail(client.error());
    if (const Status sent = client->subscribe(wire::Monitor{}); !sent) return fail(sent.error());
    for (;;) {
        const auto event = client->receive<std::optional<Event>>();
        if (!event) return fail(event.error());
        if (!event->has_value()) continue;  // the first reply: the stream stands
        style.now = static_cast<std::int64_t>(std::time(nullptr));
        if (const int code = put(render_event(**event, style)); code != exit_code::kOk) return code;
    }
}

}  // namespace cmk
