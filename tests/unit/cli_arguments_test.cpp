// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "cli/program.h"
#include "cli/usage.h"
#include "cli/verbs.h"

namespace cmk {
namespace {

using WordList = std::vector<std::string>;

class Arguments : public ::testing::Test {
protected:
    Syntax syntax(bool is_program) {
        return {.verb = "test",
                .about = "Tests.",
                .examples = "  cmkctl test\n",
                .options = {{"-o,--output", "FORMAT", "how to print", &output},
                            {"--cores", "N", "how many", NumberOption{&cores, 1, 8}},
                            {"--wait", "SECONDS", "queue", FlagWithValue{&wait}},
                            {"--lease", "LEASE", "leases", ListOption{&leases}},
                            {"--mode", "MODE", "which", &mode, {"packed", "spread"}},
                            {"--dry-run", "", "change nothing", &dry_run}},
                .words = {.name = "WORD...",
                          .help = "words",
                          .words = &words,
                          .required = is_program,
                          .is_program = is_program}};
    }

    std::string parse(const WordList& arguments, bool is_program = false) {
        const auto parsed = parse_arguments(syntax(is_program), arguments);
        return parsed ? *parsed : "error: " + parsed.error().message;
    }

    std::string output;
    std::optional<unsigned> cores;
    std::optional<std::string> wait;
    bool dry_run = false;
    WordList leases;
    std::string mode;
    WordList words;
};

TEST_F(Arguments, SetsEveryKindOfOption) {
    EXPECT_EQ(parse({"--cores=3", "-o", "json", "--wait=0.5", "--dry-run", "a", "b"}), "");
    EXPECT_EQ(cores, 3U);
    EXPECT_EQ(output, "json");
    EXPECT_EQ(wait, "0.5");
    EXPECT_TRUE(dry_run);
    EXPECT_EQ(words, (WordList{"a", "b"}));
}

TEST_F(Arguments, BareFlagWithValueTakesNoWord) {
    EXPECT_EQ(parse({"--wait", "5"}), "");
    EXPECT_EQ(wait, "");
    EXPECT_EQ(words, WordList{"5"});
}

TEST_F(Arguments, TheLastOfAnOptionCounts) {
    EXPECT_EQ(parse({"--cores", "3", "--cores", "4"}), "");
    EXPECT_EQ(cores, 4U);
}

TEST_F(Arguments, AllOfAListCount) {
    EXPECT_EQ(parse({"--lease", "a", "word", "--lease=b", "--lease", "a"}), "");
    EXPECT_EQ(leases, (WordList{"a", "b", "a"}));
    EXPECT_EQ(words, WordList{"word"});
}

TEST_F(Arguments, ChoicesAreAllThereIs) {
    EXPECT_EQ(parse({"--mode", "spread"}), "");
    EXPECT_EQ(mode, "spread");
    EXPECT_EQ(parse({"--mode", "odd"}),
              "error: --mode: expected one of packed, spread, not \"odd\"");
}

TEST_F(Arguments, ProgramKeepsItsOptions) {
    EXPECT_EQ(parse({"--cores", "2", "prog", "--cores", "9", "--help", "--", "x"}, true), "");
    EXPECT_EQ(cores, 2U);
    EXPECT_EQ(words, (WordList{"prog", "--cores", "9", "--help", "--", "x"}));
}

TEST_F(Arguments, SeparatorStartsTheProgram) {
    EXPECT_EQ(parse({"--wait", "--", "-odd-name", "-h"}, true), "");
    EXPECT_EQ(wait, "");
    EXPECT_EQ(words, (WordList{"-odd-name", "-h"}));
}

TEST_F(Arguments, SeparatorMakesWordsOfOptions) {
    EXPECT_EQ(parse({"--", "--dry-run"}), "");
    EXPECT_FALSE(dry_run);
    EXPECT_EQ(words, WordList{"--dry-run"});
}

TEST_F(Arguments, ErrorsNameTheOption) {
    const std::pair<WordList, std::string> cases[] = {
        {{"--cores", "0", "p"}, "--cores: expected a whole number from 1 to 8, not \"0\""},
        {{"--cores=-1", "p"}, "--cores: expected a whole number from 1 to 8, not \"-1\""},
        {{"--cores", "99999999999999999999", "p"},
         "--cores: expected a whole number from 1 to 8, not \"99999999999999999999\""},
        {{"--cores"}, "--cores needs a value"},
        {{"--dry-run=5", "p"}, "--dry-run takes no value"},
        {{"--corse", "2"}, "unknown option \"--corse\"; did you mean --cores?"},
        {{"--outputs=json", "p"}, "unknown option \"--outputs=json\"; did you mean --output?"},
        {{"--zzzzzzzzz", "p"}, "unknown option \"--zzzzzzzzz\""},
        {{"-x", "p"}, "unknown option \"-x\"; did you mean -o?"},
        {{}, "WORD... is missing"}};
    for (const auto& [arguments, message] : cases)
        EXPECT_EQ(parse(arguments, true), "error: " + message);
}

TEST_F(Arguments, NoWordsWhereNoneAreTaken) {
    const auto parsed =
        parse_arguments({.verb = "pools", .about = "", .examples = "", .options = {}}, {"extra"});
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().message, "unexpected argument \"extra\"; pools takes only options");
}

TEST_F(Arguments, HelpWinsOverWhatIsMissing) {
    EXPECT_EQ(parse({"--help"}, true),
              "Usage: cmkctl test [OPTION]... [--] WORD...\n\n"
              "Tests.\n\n"
              "Arguments:\n"
              "  WORD...  words\n\n"
              "Options:\n"
              "  -o, --output FORMAT  how to print\n"
              "  --cores N            how many\n"
              "  --wait[=SECONDS]     queue\n"
              "  --lease LEASE        leases\n"
              "  --mode MODE          which\n"
              "  --dry-run            change nothing\n"
              "  -h, --help           show this help\n\n"
              "Examples:\n"
              "  cmkctl test\n");
}

TEST(Nearest, FindsSlipsOnly) {
    const WordList verbs{"isolate", "init", "pools", "leases", "release"};
    EXPECT_EQ(nearest("isolat", verbs), "isolate");
    EXPECT_EQ(nearest("iosl", verbs), "");
    EXPECT_EQ(nearest("lease", verbs), "leases");
    EXPECT_EQ(nearest("relase", verbs), "release");
    EXPECT_EQ(nearest("inti", verbs), "init");
    EXPECT_EQ(nearest("frobnicate", verbs), "");
    EXPECT_EQ(nearest("", verbs), "");
    EXPECT_EQ(nearest(std::string(100000, 'x'), verbs), "");
}

TEST(Verbs, AreAllThere) {
    WordList names;
    for (const Verb& verb : verbs())
        names.emplace_back(verb.name);
    EXPECT_EQ(names, (WordList{"isolate", "init", "status", "topology", "pools", "leases",
                               "explain", "simulate", "release", "describe", "reconcile", "verify",
                               "monitor", "metrics", "bundle", "version"}));
}

TEST(Verbs, ExitCodesOfWrongUsage) {
    EXPECT_EQ(run_command_line({}), 2);
    EXPECT_EQ(run_command_line({"frobnicate"}), 2);
    EXPECT_EQ(run_command_line({"--outptu", "json", "pools"}), 2);
    EXPECT_EQ(run_command_line({"pools", "--outptu"}), 2);
    EXPECT_EQ(run_command_line({"pools", "-o", "xml"}), 2);
    EXPECT_EQ(run_command_line({"isolate", "true"}), 125);
    EXPECT_EQ(run_command_line({"isolate", "--pool", "p", "no-such-program"}), 127);
    EXPECT_EQ(run_command_line({"isolate", "--pool", "p", "/"}), 126);
    EXPECT_EQ(run_command_line({"isolate", "--socket", "/nonexistent", "--pool", "p", "true"}),
              125);
    EXPECT_EQ(run_command_line({"--socket", "/nonexistent", "pools"}), 5);
    ::setenv("CMK_NUM_CORES", "two", 1);
    EXPECT_EQ(run_command_line({"isolate", "--pool", "p", "true"}), 125);
    ::unsetenv("CMK_NUM_CORES");
}

TEST(FindProgram, LooksWhereExecvpDoes) {
    char directory[] = "/tmp/cmk-program-XXXXXX";
    ASSERT_NE(::mkdtemp(directory), nullptr);
    const std::string base = directory;
    const std::string runs = base + "/runs";
    const std::string text = base + "/text";
    std::fclose(std::fopen(runs.c_str(), "w"));
    std::fclose(std::fopen(text.c_str(), "w"));
    ::chmod(runs.c_str(), 0755);
    ::chmod(text.c_str(), 0644);

    EXPECT_EQ(find_program("runs", "/nonexistent:" + base).path, runs);
    EXPECT_EQ(find_program("runs", "/nonexistent:" + base).error, 0);
    EXPECT_EQ(find_program(runs, "").error, 0);
    EXPECT_EQ(find_program("text", base).error, EACCES);
    EXPECT_EQ(find_program("none", base).error, ENOENT);
    EXPECT_EQ(find_program("", base).error, ENOENT);
    EXPECT_EQ(find_program(base, "").error, EACCES);

    ::unlink(runs.c_str());
    ::unlink(text.c_str());
    ::rmdir(directory);
}

}  // namespace
}  // namespace cmk
