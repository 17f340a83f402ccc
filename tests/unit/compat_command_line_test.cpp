// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/command_line.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace cmk::compat {
namespace {

using WordList = std::vector<std::string>;

TEST(CompatCommandLine, OneWordForTheShellGoesToTheShell) {
    for (const char* text :
         {"env | grep CMK", "echo foo", "a;b", "a&&b", "exit 7", "$HOME/run", "~/run", "x>y",
          "echo\tfoo", "a\nb", "'a'", "\"a\"", "a\\b", "*", "a?", "[ab]", "(a)", "`a`", " ls"}) {
        EXPECT_EQ(command_line_for(text, {}),
                  (CommandLine{.words = {"/bin/sh", "-c", text}, .uses_shell = true}))
            << text;
    }
}

TEST(CompatCommandLine, APlainWordIsAProgram) {
    for (const char* text : {"ls", "/usr/bin/env", "./a.out", "a-b_c+d", "a=b", "x%y", "{x}", "a#b",
                             "a~", "\xc3\xa4", ""})
        EXPECT_EQ(command_line_for(text, {}), CommandLine{.words = {text}}) << text;
}

TEST(CompatCommandLine, SeveralWordsKeepTheirQuoting) {
    EXPECT_EQ(command_line_for("/bin/bash", {"-c", "echo A; echo B"}).words,
              (WordList{"/bin/bash", "-c", "echo A; echo B"}));
    EXPECT_EQ(command_line_for("echo", {"a   b", "$HOME", ""}).words,
              (WordList{"echo", "a   b", "$HOME", ""}));
    EXPECT_FALSE(command_line_for("/opt/my app/run", {"x"}).uses_shell);
}

std::string message(const CommandLine& line, int number) {
    return cannot_run(line, number).message;
}

TEST(CompatCommandLine, SaysWhyItCannotRun) {
    EXPECT_EQ(message(command_line_for("nope", {"x"}), ENOENT),
              "cannot run \"nope\": No such file or directory");
    EXPECT_EQ(message(command_line_for("env | grep CMK", {}), ENOENT),
              "cannot run \"env | grep CMK\", which needs the shell /bin/sh: No such file or "
              "directory");
    EXPECT_EQ(message(command_line_for("echo foo", {"bar"}), ENOENT),
              "cannot run \"echo foo\": No such file or directory (a text for the shell must be "
              "the only word: quote all of it)");
    EXPECT_EQ(message(command_line_for("/my app", {"bar"}), EACCES),
              "cannot run \"/my app\": Permission denied");
}

TEST(CompatCommandLine, ExitCodesTellMissingFromBroken) {
    const CommandLine line = command_line_for("p", {});
    EXPECT_EQ(exit_code_of(cannot_run(line, ENOENT)), 127);
    EXPECT_EQ(exit_code_of(cannot_run(line, ENOTDIR)), 127);
    EXPECT_EQ(exit_code_of(cannot_run(line, EACCES)), 126);
    EXPECT_EQ(exit_code_of(cannot_run(line, ENOEXEC)), 126);
    EXPECT_EQ(exit_code_of(make_error(Errc::unavailable, "no agent")), 1);
    EXPECT_EQ(exit_code_of(errno_error(ENOENT, "cannot open the lock")), 1);
}

}  // namespace
}  // namespace cmk::compat
