// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace cmk {

/// Each runs one verb with the words after its name and returns the exit code.
using VerbHandler = int (*)(const std::vector<std::string>& arguments);

struct Verb {
    const char* name;
    const char* help;  ///< one line
    VerbHandler run;
};

/// All verbs, in the order of the help.
const std::vector<Verb>& verbs();

/// Verbs for shells and for the build, which no help names.
const std::vector<Verb>& hidden_verbs();

/// Examples of the verbs that come first.
inline constexpr char kMainExamples[] =
    "  cmkctl init --num-exclusive-cores 4 --num-shared-cores 1\n"
    "  cmkctl isolate --pool exclusive --cores 2 -- ./server --port 80\n"
    "  cmkctl status --watch\n"
    "  cmkctl explain --pool exclusive --cores 8\n"
    "  cmkctl topology --format svg > machine.svg\n";

/// Runs the verb named among `arguments` (those after the program's name).
int run_command_line(const std::vector<std::string>& arguments);

int run_isolate(const std::vector<std::string>& arguments);
int run_init(const std::vector<std::string>& arguments);
int run_status(const std::vector<std::string>& arguments);
int run_topology(const std::vector<std::string>& arguments);
int run_pools(const std::vector<std::string>& arguments);
int run_leases(const std::vector<std::string>& arguments);
int run_explain(const std::vector<std::string>& arguments);
int run_simulate(const std::vector<std::string>& arguments);
int run_release(const std::vector<std::string>& arguments);
int run_describe(const std::vector<std::string>& arguments);
int run_reconcile(const std::vector<std::string>& arguments);
int run_verify(const std::vector<std::string>& arguments);
int run_metrics(const std::vector<std::string>& arguments);
int run_monitor(const std::vector<std::string>& arguments);
int run_bundle(const std::vector<std::string>& arguments);
int run_complete(const std::vector<std::string>& arguments);
int run_manual(const std::vector<std::string>& arguments);
int run_version(const std::vector<std::string>& arguments);

}  // namespace cmk
