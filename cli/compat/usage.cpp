// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/usage.h"

#include <utility>
#include <vector>

#include "cli/compat/options.h"
#include "cli/usage.h"

namespace cmk::compat {

namespace {

constexpr std::size_t kWidth = 79;

/// "--conf-dir=<dir>", or "--publish".
std::string spelled(const OptionRow& row) {
    std::string text(row.name);
    if (row.takes_value()) text += "=<" + std::string(row.value) + ">";
    return text;
}

/// The pieces of a form after the subcommand's name.
std::vector<std::string> pieces_of(Subcommand subcommand) {
    std::vector<std::string> pieces;
    for (const OptionRow& row : option_rows()) {
        if (!row.is_for(subcommand) || row.name == "--all-hosts") continue;
        if (row.name == "--host-list") {
            pieces.push_back("(" + spelled(row) + "|--all-hosts)");
        } else if (row.name == "--pool") {
            pieces.push_back(spelled(row));
        } else {
            pieces.push_back("[" + spelled(row) + "]");
        }
    }
    if (subcommand == Subcommand::isolate) {
        pieces.emplace_back("<command>");
        pieces.emplace_back("[-- <args> ...]");
    }
    return pieces;
}

/// "  cmk NAME piece piece", with lines that go on below the first piece.
std::string form_of(const SubcommandRow& row) {
    const std::string start = "  cmk " + std::string(row.name);
    std::string out = start;
    std::size_t column = start.size();
    for (const std::string& piece : pieces_of(row.id)) {
        if (column + 1 + piece.size() > kWidth) {
            out += "\n" + std::string(start.size(), ' ');
            column = start.size();
        }
        out += " " + piece;
        column += 1 + piece.size();
    }
    return out + "\n";
}

std::string options_help() {
    std::vector<std::pair<std::string, std::string>> rows{{"-h --help", "show this help"},
                                                          {"--version", "show the version"}};
    for (const OptionRow& row : option_rows()) {
        std::string help(row.help);
        if (!row.preset.empty()) help += "\n[default: " + std::string(row.preset) + "]";
        rows.emplace_back(spelled(row), std::move(help));
    }
    return two_columns(rows);
}

}  // namespace

std::string usage_block() {
    std::string out = "Usage:\n  cmk (-h | --help)\n  cmk --version\n";
    for (const SubcommandRow& row : subcommands())
        out += form_of(row);
    return out;
}

std::string help_text() {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const SubcommandRow& row : subcommands())
        rows.emplace_back(row.name, row.help);
    return "CMK gives programs CPU cores of their own; this is its original command line.\n\n" +
           usage_block() + "\nSubcommands:\n" + two_columns(rows) + "\nOptions:\n" +
           options_help() +
           "\nOptions may stand anywhere before \"--\", and be cut short while that is unique.\n"
           "A command that is one word with blanks or shell characters is run by /bin/sh;\n"
           "one with arguments is executed as it stands. isolate exits with its status,\n"
           "or 128 and the number of the signal that ended it.\n";
}

std::string version_text() {
    return "CMK v" CMK_VERSION "\n";
}

}  // namespace cmk::compat
