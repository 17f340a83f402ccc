// SPDX-License-Identifier: Apache-2.0
#include "cli/verbs.h"

int main(int argc, char** argv) {
    return cmk::run_command_line({argv + (argc > 0 ? 1 : 0), argv + argc});
}
