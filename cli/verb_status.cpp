// SPDX-License-Identifier: Apache-2.0
#include "cli/event_stream.h"
#include "cli/machine.h"
#include "cli/output_json.h"
#include "cli/screen.h"
#include "cli/verbs.h"
#include "ipc/errors.h"

namespace cmk {

namespace {

Result<std::string> status_text(const CommonOptions& common) {
    CMK_TRY_ASSIGN(const Machine machine, ask_machine(common));
    return render_status(machine.host, machine.pools, machine.leases, style_of(common));
}

/// Takes the events that are here. One new picture is enough for all of them.
Status take_events(EventStream& events) {
    while (events.has_event())
        CMK_TRY(events.next());
    return {};
}

/// Shows the status anew after each event. Returns what ended it.
Error watch(const CommonOptions& common, EventStream& events) {
    Screen screen(!is_data(style_of(common).format));
    for (;;) {
        const auto text = status_text(common);
        if (!text) return text.error();
        if (screen.show(*text) != exit_code::kOk) {
            return make_error(Errc::io, "watching has ended");
        }
        screen.wait(events.fd());
        // One new picture is enough for all of them.
        if (const Status taken = take_events(events); !taken) return taken.error();
    }
}

int watch_status(const CommonOptions& common) {
    auto events = EventStream::open(common);  // no event after the first picture is missed
    if (!events) return fail(events.error());
    return fail(watch(common, *events));
}

}  // namespace

int run_status(const std::vector<std::string>& arguments) {
    CommonOptions common;
    bool wants_watch = false;
    const Syntax syntax{
        .verb = "status",
        .about = "Shows the machine as a picture, its pools and its leases.",
        .examples = "  cmkctl status\n  cmkctl status --watch\n  cmkctl status -o json\n",
        .options = {{"--watch", "",
                     "show it again after every event, until interrupted; on a terminal in\n"
                     "place, and over restarts of the agent. Exits 5 when there is none left. To\n"
                     "ask for the next one starts it where systemd listens for it: an agent that\n"
                     "is to stay stopped has its sockets stopped with it, as for monitor",
                     &wants_watch}}};
    if (const auto done = begin(syntax, arguments, common, exit_code::kUsage)) return *done;
    if (wants_watch) return watch_status(common);
    const auto text = status_text(common);
    return text ? put(*text) : fail(text.error());
}

}  // namespace cmk
