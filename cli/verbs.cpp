// SPDX-License-Identifier: Apache-2.0
#include "cli/verbs.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "cli/session.h"
#include "cli/usage.h"
#include "ipc/errors.h"

namespace cmk {

namespace {

std::string overview() {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const Verb& verb : verbs())
        rows.emplace_back(verb.name, verb.help);
    std::string out =
        "Usage: cmkctl [OPTION]... VERB [ARGUMENT]...\n\n"
        "Gives programs CPU cores of their own, through cmk-agent.\n\nVerbs:\n" +
        two_columns(rows);
    rows.clear();
    CommonOptions common;
    for (const Option& option : common_options(common))
        rows.emplace_back(option_heading(option), option.help);
    rows.emplace_back("-h, --help", "show this help; after a verb, the verb's");
    rows.emplace_back("--version", "show the version");
    return out + "\nOptions of every verb:\n" + two_columns(rows) + "\nExamples:\n" + kMainExamples;
}

int wrong_usage(const std::string& text) {
    complain(text + "\nSee: cmkctl --help");
    return exit_code::kUsage;
}

const Verb* find_verb(const std::vector<Verb>& table, const std::string& name) {
    const auto at = std::find_if(table.begin(), table.end(),
                                 [&](const Verb& each) { return name == each.name; });
    return at == table.end() ? nullptr : &*at;
}

int unknown_verb(const std::string& name) {
    std::vector<std::string> known;
    for (const Verb& verb : verbs())
        known.emplace_back(verb.name);
    const std::string meant = nearest(name, known);
    return wrong_usage("unknown verb " + quote(name) +
                       (meant.empty() ? "" : "; did you mean " + meant + "?"));
}

/// What stands before the verb, or without one. Returns the exit code when that ends the call.
std::optional<int> run_leading(const std::vector<std::string>& arguments) {
    bool wants_version = false;
    CommonOptions common;
    Syntax syntax{.verb = "VERB", .about = "", .examples = "", .options = common_options(common)};
    syntax.options.push_back({"--version", "", "", &wants_version});
    const auto parsed = parse_arguments(syntax, arguments);
    if (!parsed) return wrong_usage(parsed.error().message);
    if (!parsed->empty()) return put(overview());
    if (wants_version) return put("cmkctl " CMK_VERSION "\n");
    return std::nullopt;
}

}  // namespace

const std::vector<Verb>& verbs() {
    static const std::vector<Verb> table{
        {"isolate", "run a program on cores of its own", run_isolate},
        {"init", "divide this machine's cores into pools", run_init},
        {"status", "show the machine, its pools and leases", run_status},
        {"topology", "draw the machine: sockets, NUMA nodes, caches, cores", run_topology},
        {"pools", "list the pools", run_pools},
        {"leases", "list the leases", run_leases},
        {"explain", "tell what a request would get, or why it would be refused", run_explain},
        {"simulate", "try pools and leases on a machine that need not be there", run_simulate},
        {"release", "end leases; their programs run on, unpinned", run_release},
        {"describe", "print pools and tasks as the original CMK does (JSON)", run_describe},
        {"reconcile", "compare the machine with the agent's books and mend it", run_reconcile},
        {"verify", "check how leases are held, with evidence from the kernel", run_verify},
        {"monitor", "print lease and pool events as they happen", run_monitor},
        {"metrics", "print the agent's metrics, as Prometheus reads them", run_metrics},
        {"bundle", "collect what a bug report needs in one archive", run_bundle},
        {"version", "show the versions of cmkctl and the agent", run_version},
    };
    return table;
}

const std::vector<Verb>& hidden_verbs() {
    static const std::vector<Verb> table{
        {"complete", "complete the last of the words, for a shell", run_complete},
        {"manual", "print the manual page of cmkctl or a verb", run_manual},
    };
    return table;
}

int run_command_line(const std::vector<std::string>& arguments) {
    CommonOptions common;
    const std::size_t at = count_leading_options(common_options(common), arguments);
    const auto split_at = arguments.begin() + static_cast<std::ptrdiff_t>(at);
    std::vector<std::string> rest(arguments.begin(), split_at);
    if (at > 0) {
        if (const auto done = run_leading(rest)) return *done;
    }
    if (at >= arguments.size()) return wrong_usage("no verb given");
    const std::string& name = arguments[at];
    rest.insert(rest.end(), split_at + 1, arguments.end());
    if (name == "help") {
        if (rest.empty()) return put(overview());
        return run_command_line({rest.front(), "--help"});
    }
    const Verb* verb = find_verb(verbs(), name);
    if (verb == nullptr) verb = find_verb(hidden_verbs(), name);
    return verb == nullptr ? unknown_verb(name) : verb->run(rest);
}

}  // namespace cmk
