// SPDX-License-Identifier: Apache-2.0
// The original's command lines: what parses, spelled out in full, parses to the same.
#include <string>
#include <vector>

#include "base/text.h"
#include "cli/compat/arguments.h"
#include "cli/compat/command_line.h"
#include "cli/compat/usage.h"
#include "fuzz/must.h"

namespace {

using namespace cmk;
using namespace cmk::compat;
using cmk::test::must;

/// "--name=value" of each option that is not at its default.
std::vector<std::string> spelled(const Options& options) {
    const Options defaults = Options::defaults();
    std::vector<std::string> words;
    for (const OptionRow& row : option_rows()) {
        const std::string name(row.name);
        if (const auto* flag = std::get_if<bool Options::*>(&row.member)) {
            if (options.*(*flag)) words.push_back(name);
        } else if (const auto* text = std::get_if<std::string Options::*>(&row.member)) {
            if (options.*(*text) != defaults.*(*text))
                words.push_back(name + "=" + options.*(*text));
        } else {
            const auto& value =
                options.*std::get<std::optional<std::string> Options::*>(row.member);
            if (value) words.push_back(name + "=" + *value);
        }
    }
    return words;
}

std::vector<std::string> spelled(const Invocation& invocation) {
    std::vector<std::string> words = spelled(invocation.options);
    words.emplace_back(subcommands()[static_cast<std::size_t>(invocation.subcommand)].name);
    if (invocation.subcommand == Subcommand::isolate) {
        words.insert(words.end(), {"--", invocation.command});
        words.insert(words.end(), invocation.args.begin(), invocation.args.end());
    }
    return words;
}

void check_numbers(const Options& options) {
    const auto check = [](const auto& result, const char* option) {
        must(result || result.error().message.starts_with(option), "an error names the option");
    };
    check(options.exclusive_cores(), "--num-exclusive-cores: ");
    check(options.shared_cores(), "--num-shared-cores: ");
    check(options.interval_seconds(), "--interval: ");
    check(options.socket(), "--socket-id: ");
    check(options.is_insecure(), "--insecure: ");
}

void check_invocation(const Invocation& invocation) {
    check_numbers(invocation.options);
    if (invocation.action != Action::run) return;
    const auto words = spelled(invocation);
    const auto again = parse_invocation(words);
    must(again.has_value(), "a command line spelled out parses");
    must(again->subcommand == invocation.subcommand, "it names the same subcommand");
    must(again->command == invocation.command, "it has the same command");
    must(again->args == invocation.args, "it has the same arguments");
    must(spelled(*again) == words, "it has the same options");
    const CommandLine line = command_line_for(invocation.command, invocation.args);
    must(!line.words.empty(), "there is always a word to execute");
    must(line.uses_shell || line.words.size() == 1 + invocation.args.size(),
         "no word is lost or split");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::string> words;
    for (const std::string_view word : split(cmk::test::text_of(data, size), '\n'))
        words.emplace_back(word);
    const auto invocation = parse_invocation(words);
    if (invocation) {
        check_invocation(*invocation);
    } else {
        must(invocation.error().code == Errc::invalid_argument, "it is an invalid argument");
        must(!invocation.error().message.empty(), "an error says what is wrong");
        must(usage_error_text(invocation.error()).ends_with(usage_block()), "the usage follows");
    }
    return 0;
}
