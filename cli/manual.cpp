// SPDX-License-Identifier: Apache-2.0
#include "cli/manual.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "cli/session.h"
#include "cli/usage.h"
#include "ipc/errors.h"

namespace cmk {

namespace {

struct ExitText {
    int code;
    const char* text;
};
constexpr std::array<ExitText, 8> kExitTexts{
    {{exit_code::kOk, "done"},
     {exit_code::kFailure, "failed"},
     {exit_code::kUsage, "wrong usage"},
     {exit_code::kNoCapacity, "not enough cores, or the wait was over"},
     {exit_code::kNotPermitted, "not permitted"},
     {exit_code::kUnreachable, "the agent cannot be reached"},
     {exit_code::kNotFound, "no such pool or lease"},
     {exit_code::kCheckFailed, "a check failed (verify)"}}};

constexpr std::array<std::pair<const char*, const char*>, 4> kVariables{
    {{"CMK_SOCKET", "The agent's socket, where --socket is not given."},
     {"CMK_NUM_CORES", "How many cores isolate asks for, where --cores is not given."},
     {"CMK_LOG_LEVEL", "DEBUG has isolate show the agent's notes on a lease."},
     {"NO_COLOR", "When it is set to anything, nothing is coloured."}}};

/// Text as roff takes it literally.
std::string roff(std::string_view text) {
    std::string out;
    bool is_line_start = true;
    for (const char c : text) {
        if (is_line_start && (c == '.' || c == '\'')) out += "\\&";
        is_line_start = c == '\n';
        switch (c) {
            case '\\': out += "\\e"; break;
            case '-': out += "\\-"; break;
            case '~': out += "\\(ti"; break;
            case '^': out += "\\(ha"; break;
            case '\'': out += "\\(aq"; break;
            case '`': out += "\\(ga"; break;
            case '"': out += "\\(dq"; break;
            default: out += c;
        }
    }
    return out;
}

/// An empty line parts paragraphs.
std::string paragraphs(std::string_view text) {
    std::string out;
    for (const std::string_view line : split(text, '\n'))
        out += line.empty() ? ".PP\n" : roff(line) + "\n";
    return out;
}

std::string literal(std::string_view text) {
    return ".EX\n" + roff(text) + ".EE\n";
}

std::string item(const std::string& heading, std::string_view text) {
    return ".TP\n.B " + roff(heading) + "\n" + roff(text) + "\n";
}

std::string page_head(const std::string& name, const std::string& help) {
    std::string title = name;
    for (char& c : title)
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return ".\\\" SPDX-License-Identifier: Apache-2.0\n.TH " + roff(title) +
           " 1 \"\" \"CMK " CMK_VERSION "\" \"User Commands\"\n.SH NAME\n" +
           roff(name + " - " + help) + "\n";
}

std::string exit_section() {
    std::string out = ".SH EXIT STATUS\n";
    for (const ExitText& each : kExitTexts)
        out += item(std::to_string(each.code), each.text);
    return out;
}

}  // namespace

std::string verb_manual(const Verb& verb, const Syntax& syntax) {
    std::string out = page_head(std::string("cmkctl-") + verb.name, verb.help);
    out += ".SH SYNOPSIS\n.B " + roff(synopsis_of(syntax)) + "\n.SH DESCRIPTION\n" +
           paragraphs(syntax.about);
    if (!syntax.words.name.empty()) {
        out += ".SH ARGUMENTS\n" + item(syntax.words.name, syntax.words.help);
    }
    out += ".SH OPTIONS\n";
    for (const Option& option : syntax.options)
        out += item(option_heading(option), option.help);
    out += item("-h, --help", "show the help");
    if (!syntax.examples.empty()) out += ".SH EXAMPLES\n" + literal(syntax.examples);
    // The program's own, which the description tells.
    if (!syntax.words.is_program) out += exit_section();
    return out + ".SH SEE ALSO\n.BR cmkctl (1),\n.BR cmk\\-agent (8)\n";
}

std::string main_manual() {
    std::string out = page_head("cmkctl", "gives programs CPU cores of their own");
    out +=
        ".SH SYNOPSIS\n.B cmkctl\n[\\fIOPTION\\fR]... \\fIVERB\\fR [\\fIARGUMENT\\fR]...\n"
        ".SH DESCRIPTION\n" +
        paragraphs(
            "Asks cmk-agent, which divides the machine's cores into pools and leases them: runs "
            "programs\non cores of their own, shows pools and leases, and sets pools up.") +
        ".SH VERBS\nEach has a page of its own, such as\n.BR cmkctl\\-isolate (1).\n";
    for (const Verb& verb : verbs())
        out += item(verb.name, verb.help);
    out += ".SH OPTIONS\nEvery verb takes these.\n";
    CommonOptions common;
    for (const Option& option : common_options(common))
        out += item(option_heading(option), option.help);
    out += item("-h, --help", "show the help; after a verb, the verb's");
    out += item("--version", "show the version");
    out += ".SH EXAMPLES\n" + literal(kMainExamples) + exit_section();
    out += paragraphs("Of isolate see its own page.");
    out += ".SH ENVIRONMENT\n";
    for (const auto& [name, text] : kVariables)
        out += item(name, text);
    out += ".SH SEE ALSO\n";
    for (const Verb& verb : verbs())
        out += ".BR " + roff(std::string("cmkctl-") + verb.name) + " (1),\n";
    return out + ".BR agent.toml (5),\n.BR org.cmk.Agent1 (5),\n.BR cmk\\-agent (8)\n";
}

}  // namespace cmk
