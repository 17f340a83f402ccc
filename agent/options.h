// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>

#include "base/result.h"

namespace cmk {

/// The agent's command line.
struct Options {
    enum class Action { serve, check_config, dump_config };
    Action action = Action::serve;
    bool foreground = false;
    std::string config = {};  ///< "" for the installed files
    std::string state_dir;
    std::string socket;
    std::string bus = "system";  ///< "none", "system" or a D-Bus address
    int ready_fd = -1;           ///< gets "READY=1\n" when the agent serves
};

/// Where parsing ends the program: help, version or a usage error.
struct EarlyExit {
    int code = 0;
};

std::variant<Options, EarlyExit> parse_options(int argc, char** argv);

}  // namespace cmk
