// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/run.h"

#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "cli/compat/commands.h"
#include "cli/compat/hand_over.h"
#include "cli/compat/mode.h"
#include "cli/compat/usage.h"

namespace cmk::compat {

namespace {

constexpr int kFailed = 1;

Result<int> run_on_node(const Call& call) {
    const Subcommand subcommand = call.invocation.subcommand;
    if (subcommand == Subcommand::install) return install(call);
    CMK_TRY_ASSIGN(std::optional<Client> agent, find_agent(call.options()));
    Client* client = agent ? &*agent : nullptr;
    switch (subcommand) {
        case Subcommand::init:
            return client != nullptr ? init_agent(call, *client) : init_directory_mode(call);
        case Subcommand::describe:
            return client != nullptr ? describe_agent(call, *client) : describe_directory(call);
        case Subcommand::isolate:
            return client != nullptr ? isolate_by_agent(call, *client) : isolate_in_directory(call);
        case Subcommand::reconcile:
            return client != nullptr ? reconcile_agent(call, *client) : reconcile_directory(call);
        case Subcommand::node_report:
            return client != nullptr ? report_agent(call, *client) : report_directory(call);
        case Subcommand::uninstall: return uninstall(call, client);
        case Subcommand::reconfigure:
            if (client != nullptr) return reconfigure_agent(call, *client);
            return make_error(Errc::unavailable,
                              "a directory's pools cannot be changed while it is in use; only the "
                              "agent can (cmk-agent). Here: uninstall, then init");
        case Subcommand::reaffinitize:
            if (client != nullptr) return 0;  // leases follow their pools by themselves
            return make_error(Errc::unavailable, "only the agent moves what runs (cmk-agent)");
        default: break;
    }
    return make_error(Errc::internal, "the subcommand has no action");
}

/// What needs the cluster's API is another program's.
bool is_for_cluster(const Call& call) {
    const Invocation& invocation = call.invocation;
    switch (invocation.subcommand) {
        case Subcommand::cluster_init:
        case Subcommand::discover:
        case Subcommand::webhook:
        case Subcommand::reconfigure_setup: return true;
        case Subcommand::reconcile:
        case Subcommand::node_report: return invocation.options.publish;
        case Subcommand::uninstall: return call.environment.is_pod();
        default: return false;
    }
}

}  // namespace

Result<ConfDir> directory_of(const Call& call) {
    CMK_TRY_ASSIGN(const auto patience, parse_lock_timeout(call.environment.lock_timeout()));
    return ConfDir(call.options().conf_dir, patience);
}

Result<int> repeat(const Call& call, const char* what, const std::function<Status()>& once) {
    CMK_TRY_ASSIGN(const long seconds, call.options().interval_seconds());
    for (;;) {
        CMK_TRY(once());
        if (seconds <= 0) return 0;
        call.log.info("Waiting " + std::to_string(seconds) + " seconds until next " + what + "...");
        timespec rest{.tv_sec = seconds, .tv_nsec = 0};
        while (::clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) != 0) {
        }
    }
}

Status print(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno_error(errno, "cannot write the output");
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

bool is_original_name(std::string_view program) {
    const std::string_view name = program.substr(program.rfind('/') + 1);
    return name == "cmk" || name == "cmk.py";
}

int run(const std::vector<std::string>& arguments) {
    auto invocation = parse_invocation(arguments);
    if (!invocation) {
        const std::string text = usage_error_text(invocation.error());
        (void)!::write(STDERR_FILENO, text.data(), text.size());
        return kFailed;
    }
    if (invocation->action != Action::run) {
        const bool help = invocation->action == Action::help;
        return print(help ? help_text() : version_text()) ? 0 : kFailed;
    }
    const Environment environment;
    const auto level = environment.log_level();
    const Call call{*std::move(invocation), environment, Log(level ? *level : LogLevel::info)};
    Result<int> done = !level                 ? Result<int>(level.error())
                       : is_for_cluster(call) ? hand_over(call.invocation.spelt)
                                              : run_on_node(call);
    if (done) return *done;
    call.log.error(done.error().message);
    return kFailed;
}

}  // namespace cmk::compat
