// SPDX-License-Identifier: Apache-2.0
#include "agent/options.h"

#include <CLI/CLI.hpp>

#include "ipc/errors.h"
#include "ipc/names.h"

namespace cmk {

namespace {

constexpr char kFooter[] =
    "Examples:\n"
    "  cmk-agent --check-config\n"
    "  cmk-agent --foreground --config agent.toml --state-dir /tmp/cmk-state \\\n"
    "            --socket /tmp/cmk.sock --bus none\n"
    "\n"
    "SIGHUP reads the configuration again; SIGTERM ends the agent and leaves all leases as they\n"
    "are: the next start takes them up.";

}  // namespace

std::variant<Options, EarlyExit> parse_options(int argc, char** argv) {
    Options options{.state_dir = kDefaultStateDir, .socket = kDefaultSocket};
    bool check = false;
    bool dump = false;
    CLI::App app("Gives dedicated CPU cores to programs on this host.", "cmk-agent");
    app.footer(kFooter);
    app.set_version_flag("--version", CMK_VERSION);
    app.add_flag("--foreground", options.foreground, "Run beside an installed agent, as a program");
    app.add_option("--config", options.config, "Read FILE and FILE.d/*.toml only")
        ->type_name("FILE");
    app.add_option("--state-dir", options.state_dir, "Where leases are remembered")
        ->type_name("DIR")
        ->capture_default_str();
    app.add_option("--socket", options.socket, "Where programs reach the agent")
        ->type_name("PATH")
        ->capture_default_str();
    app.add_option("--bus", options.bus, "none, system, or a D-Bus address")->capture_default_str();
    app.add_option("--ready-fd", options.ready_fd, "Write READY=1 to this descriptor when serving")
        ->type_name("FD");
    app.add_flag("--check-config", check, "Read the configuration, say what is wrong, and end");
    app.add_flag("--dump-config", dump, "Print the configuration in force, and end");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return EarlyExit{app.exit(problem) == 0 ? exit_code::kOk : exit_code::kUsage};
    }
    if (check) options.action = Options::Action::check_config;
    if (dump) options.action = Options::Action::dump_config;
    return options;
}

}  // namespace cmk
