// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>
#include <csignal>
#include <ctime>

#include "cli/event_stream.h"
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
                            "an object) for each, until interrupted. Goes on with the next agent\n"
                            "when it is restarted, and exits 5 when there is none. To ask for the\n"
                            "next one starts it where systemd listens for it: an agent that is to\n"
                            "stay stopped has its sockets stopped with it (systemctl stop\n"
                            "cmk-agent.service 'cmk-agent*.socket').",
                        .examples = "  cmkctl monitor\n  cmkctl monitor -o json\n",
                        .options = {}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    std::signal(SIGINT, end_on_interrupt);
    OutputStyle style = style_of(common);
    auto events = EventStream::open(common);
    if (!events) return fail(events.error());
    for (;;) {
        const auto event = events->next();
        if (!event) return fail(event.error());
        if (!event->has_value()) {
            complain("the agent was restarted; what happened meanwhile is not shown");
            continue;
        }
        style.now = static_cast<std::int64_t>(std::time(nullptr));
        if (const int code = put(render_event(**event, style)); code != exit_code::kOk) return code;
    }
}

}  // namespace cmk
