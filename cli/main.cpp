// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/run.h"
#include "cli/verbs.h"

int main(int argc, char** argv) {
    const std::vector<std::string> arguments{argv + (argc > 0 ? 1 : 0), argv + argc};
    if (argc > 0 && cmk::compat::is_original_name(argv[0])) return cmk::compat::run(arguments);
    return cmk::run_command_line(arguments);
}
