// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/arguments.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "cli/compat/run.h"
#include "cli/compat/usage.h"

namespace cmk::compat {
namespace {

using WordList = std::vector<std::string>;

/// The words of a line that needs no quotes.
WordList words_of(std::string_view line) {
    WordList words;
    for (const std::string_view word : split(line, ' ')) {
        if (!word.empty()) words.emplace_back(word);
    }
    return words;
}

Invocation parsed(const WordList& words) {
    auto invocation = parse_invocation(words);
    EXPECT_TRUE(invocation) << join(words, " ") << ": " << invocation.error().message;
    return invocation ? *std::move(invocation) : Invocation{};
}

std::string reason(const WordList& words) {
    const auto invocation = parse_invocation(words);
    EXPECT_FALSE(invocation) << join(words, " ");
    if (invocation) return "";
    EXPECT_EQ(invocation.error().code, Errc::invalid_argument);
    return invocation.error().message;
}

/// Every option of `row` given, with its name as the value.
WordList with_every_option(const SubcommandRow& row) {
    WordList words{row.name};
    for (const OptionRow& option : option_rows()) {
        if (!option.is_for(row.id) || option.name == "--all-hosts") continue;
        words.emplace_back(option.name);
        if (option.takes_value()) words.push_back("of" + std::string(option.name));
    }
    if (row.id == Subcommand::isolate) words.emplace_back("program");
    return words;
}

TEST(CompatArguments, DefaultsAreTheOriginals) {
    const Options options = parsed({"describe"}).options;
    EXPECT_EQ(options.host_list, std::nullopt);
    EXPECT_FALSE(options.all_hosts);
    EXPECT_EQ(options.cmk_cmd_list, "init,reconcile,install,discover,nodereport");
    EXPECT_EQ(options.cmk_img, "cmk:v" CMK_VERSION);
    EXPECT_EQ(options.cmk_img_pol, "IfNotPresent");
    EXPECT_EQ(options.conf_dir, "/etc/cmk");
    EXPECT_EQ(options.conf_file, std::nullopt);
    EXPECT_EQ(options.install_dir, "/opt/bin");
    EXPECT_EQ(options.exclusive_cores().value(), 4U);
    EXPECT_EQ(options.shared_cores().value(), 1U);
    EXPECT_EQ(options.exclusive_mode, "packed");
    EXPECT_EQ(options.shared_mode, "packed");
    EXPECT_EQ(options.pull_secret, std::nullopt);
    EXPECT_EQ(options.saname, "cmk-serviceaccount");
    EXPECT_EQ(options.name_space, "default");
    EXPECT_EQ(options.interval_seconds().value(), 0);
    EXPECT_FALSE(options.publish);
    EXPECT_EQ(options.pool, std::nullopt);
    EXPECT_EQ(options.socket().value(), std::nullopt);
    EXPECT_FALSE(options.no_affinity);
    EXPECT_EQ(options.excl_non_isolcpus, "-1");
    EXPECT_EQ(options.cafile, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt");
    EXPECT_FALSE(options.is_insecure().value());
    EXPECT_FALSE(options.no_taint);
}

TEST(CompatArguments, TakesEveryLineOfTheManuals) {
    const std::pair<const char*, Subcommand> lines[] = {
        {"cluster-init --host-list=node1,node2,node3", Subcommand::cluster_init},
        {"cluster-init --all-hosts", Subcommand::cluster_init},
        {"cluster-init --host-list=node1,node2,node3 --cmk-cmd-list=init,discover",
         Subcommand::cluster_init},
        {"cluster-init --all-hosts --cmk-img=cmk:v1.3.1 --cmk-img-pol=Never --conf-dir=/etc/cmk "
         "--install-dir=/opt/bin --num-exclusive-cores=2 --num-shared-cores=1 --pull-secret=s "
         "--saname=cmk --shared-mode=spread --exclusive-mode=packed --namespace=kube-system "
         "--excl-non-isolcpus=6,7 --cafile=/ca.crt --insecure=True --no-taint",
         Subcommand::cluster_init},
        {"init --conf-dir=/etc/cmk --num-exclusive-cores=4 --num-shared-cores=1", Subcommand::init},
        {"init --num-exclusive-cores=4 --socket-id=0 --shared-mode=packed --exclusive-mode=spread "
         "--excl-non-isolcpus=5-7",
         Subcommand::init},
        {"discover --conf-dir=/etc/cmk --no-taint", Subcommand::discover},
        {"describe --conf-dir=/etc/cmk", Subcommand::describe},
        {"reconcile --interval=60 --publish", Subcommand::reconcile},
        {"isolate --conf-dir=/etc/cmk --pool=infra sleep -- 10000", Subcommand::isolate},
        {"isolate --conf-dir=/etc/cmk --pool=exclusive sleep -- 10000", Subcommand::isolate},
        {"isolate --conf-dir=/etc/cmk --socket-id=1 --pool=shared sleep 10 --no-affinity",
         Subcommand::isolate},
        {"install --install-dir=/opt/bin", Subcommand::install},
        {"node-report --conf-dir=/etc/cmk --publish --interval=60", Subcommand::node_report},
        {"uninstall --install-dir=/opt/bin --conf-dir=/etc/cmk --namespace=default",
         Subcommand::uninstall},
        {"webhook --conf-file=/etc/webhook/server.yaml --cafile=/ca.crt --insecure=False",
         Subcommand::webhook},
        {"reconfigure --node-name=n --num-exclusive-cores=2 --num-shared-cores=1 "
         "--excl-non-isolcpus=-1 --exclusive-mode=packed --shared-mode=packed "
         "--install-dir=/opt/bin --namespace=default",
         Subcommand::reconfigure},
        {"reconfigure_setup --num-exclusive-cores=2 --num-shared-cores=1 --excl-non-isolcpus=-1 "
         "--exclusive-mode=packed --shared-mode=packed --cmk-img=i --cmk-img-pol=Never "
         "--install-dir=/opt/bin --saname=s --namespace=default",
         Subcommand::reconfigure_setup},
        {"reaffinitize --node-name=n --namespace=default", Subcommand::reaffinitize},
    };
    for (const auto& [line, subcommand] : lines) {
        const Invocation invocation = parsed(words_of(line));
        EXPECT_EQ(invocation.action, Action::run) << line;
        EXPECT_EQ(invocation.subcommand, subcommand) << line;
    }
}

TEST(CompatArguments, EverySubcommandTakesItsOptionsAndNoOthers) {
    for (const SubcommandRow& row : subcommands()) {
        EXPECT_EQ(parsed(with_every_option(row)).subcommand, row.id);
        for (const OptionRow& option : option_rows()) {
            if (option.is_for(row.id)) continue;
            WordList words = with_every_option(row);
            words.push_back(std::string(option.name) + (option.takes_value() ? "=x" : ""));
            EXPECT_EQ(reason(words), row.name + (" takes no " + std::string(option.name)));
        }
    }
}

TEST(CompatArguments, ValuesReachTheirOptions) {
    const Options options =
        parsed({"cluster-init", "--host-list", "a,b", "--conf-dir=/c=d", "--saname", "--odd",
                "--excl-non-isolcpus=", "--num-sh", "2", "--insec=true", "--no-t"})
            .options;
    EXPECT_EQ(options.host_list, "a,b");
    EXPECT_EQ(options.conf_dir, "/c=d");
    EXPECT_EQ(options.saname, "--odd");
    EXPECT_EQ(options.excl_non_isolcpus, "");
    EXPECT_EQ(options.shared_cores().value(), 2U);
    EXPECT_TRUE(options.is_insecure().value());
    EXPECT_TRUE(options.no_taint);
    EXPECT_EQ(parsed(words_of("webhook --conf-f x")).options.conf_file, "x");
    EXPECT_TRUE(parsed(words_of("reconcile --pub")).options.publish);
}

TEST(CompatArguments, AreSpeltOutForTheProgramOfTheCluster) {
    EXPECT_EQ(parsed({"cluster-init", "--all", "--cmk-img", "x y", "--no-t"}).spelt,
              (WordList{"cluster-init", "--all-hosts", "--cmk-img=x y", "--no-taint"}));
    EXPECT_EQ(parsed({"cluster-init", "--all", "--no-w"}).spelt,
              (WordList{"cluster-init", "--all-hosts", "--no-webhook"}));
    EXPECT_EQ(parsed({"--conf-f=/x", "webhook", "--insec", "True"}).spelt,
              (WordList{"webhook", "--conf-file=/x", "--insecure=True"}));
    EXPECT_EQ(parsed(words_of("discover")).spelt, (WordList{"discover"}));
}

struct CommandCase {
    WordList words;
    std::string command;
    WordList args;
};

TEST(CompatArguments, IsolateFindsCommandAndArguments) {
    const CommandCase cases[] = {
        {{"--pool=p", "sleep", "5"}, "sleep", {"5"}},
        {{"--pool=p", "sleep", "--", "5"}, "sleep", {"5"}},
        {{"--pool=p", "--", "sleep", "5"}, "sleep", {"5"}},
        {{"--pool=p", "--", "sleep", "--", "5"}, "sleep", {"--", "5"}},
        {{"--pool=p", "sleep", "5", "--", "-6"}, "sleep", {"5", "--", "-6"}},
        {{"--pool=p", "sleep"}, "sleep", {}},
        {{"--pool=p", "sleep", "--"}, "sleep", {}},
        {{"--pool=p", "env | grep CMK"}, "env | grep CMK", {}},
        {{"--pool=p", "/bin/bash", "--", "-c", "echo A; echo B"},
         "/bin/bash",
         {"-c", "echo A; echo B"}},
        {{"echo", "--pool=p", "a", "--no-affinity", "b"}, "echo", {"a", "b"}},
        {{"--pool", "p", "echo", "--", "--pool=q", "--help", "-h", "--", ""},
         "echo",
         {"--pool=q", "--help", "-h", "--", ""}},
        {{"--pool=p", "-", "-"}, "-", {"-"}},
        {{"--pool=p", ""}, "", {}},
    };
    for (const auto& [given, command, args] : cases) {
        WordList words{"isolate"};
        words.insert(words.end(), given.begin(), given.end());
        const Invocation invocation = parsed(words);
        EXPECT_EQ(invocation.command, command) << join(words, " ");
        EXPECT_EQ(invocation.args, args) << join(words, " ");
        EXPECT_EQ(invocation.options.pool, "p");
    }
    EXPECT_TRUE(parsed(words_of("isolate --pool=p echo a --no-affinity")).options.no_affinity);
    EXPECT_FALSE(parsed(words_of("isolate --pool=p echo -- --no-affinity")).options.no_affinity);
    EXPECT_EQ(parsed(words_of("--pool=p isolate echo")).subcommand, Subcommand::isolate);
}

TEST(CompatArguments, RefusesWhatFitsNoForm) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "no subcommand given"},
        {"--publish", "no subcommand given"},
        {"frobnicate", "\"frobnicate\" is no subcommand"},
        {"desc", "\"desc\" is no subcommand"},
        {"-- describe", "\"--\" is no subcommand"},
        {"init --frobnicate", "unknown option \"--frobnicate\""},
        {"init --frobnicate=5", "unknown option \"--frobnicate=5\""},
        {"init -x", "unknown option \"-x\""},
        {"init extra", "unexpected argument \"extra\""},
        {"init --", "unexpected argument \"--\""},
        {"init --pool=p", "init takes no --pool"},
        {"install --conf-dir=/x", "install takes no --conf-dir"},
        {"init --conf-dir=/x --conf-dir=/y", "--conf-dir is given twice"},
        {"cluster-init", "give either --host-list or --all-hosts"},
        {"cluster-init --host-list=a --all-hosts", "give either --host-list or --all-hosts"},
        {"isolate sleep 5", "--pool is missing"},
        {"isolate -- --pool=p sleep", "--pool is missing"},
        {"isolate --pool=p", "isolate needs a command"},
        {"isolate --pool=p --", "isolate needs a command"},
        {"isolate --pool=p sleep -5", "unknown option \"-5\""},
        {"isolate echo --pool", "--pool requires argument"},
        {"isolate echo --pool -- x", "--pool requires argument"},
        {"reconcile --publish=yes", "--publish must not have an argument"},
        {"--help=yes", "--help must not have an argument"},
        {"init --conf /x", "--conf is not a unique prefix: --conf-dir, --conf-file?"},
        {"init --conf=/x", "--conf is not a unique prefix: --conf-dir, --conf-file?"},
        {"--h", "--h is not a unique prefix: --help, --host-list?"},
        {"init --num=3",
         "--num is not a unique prefix: --num-exclusive-cores, --num-shared-cores?"},
    };
    for (const auto& [line, expected] : cases)
        EXPECT_EQ(reason(words_of(line)), expected) << line;
}

TEST(CompatArguments, AnExactNameIsNoPrefix) {
    const Options options =
        parsed(words_of("cluster-init --all --cmk-img x --cmk-img-p y")).options;
    EXPECT_EQ(options.cmk_img, "x");
    EXPECT_EQ(options.cmk_img_pol, "y");
}

TEST(CompatArguments, HelpAndVersionWinOverWhatElseIsWrong) {
    for (const char* line : {"-h", "--help", "--he", "isolate --help", "init --nonsense -h extra",
                             "isolate --pool=p ls -h", "--version --help", "-xh"})
        EXPECT_EQ(parsed(words_of(line)).action, Action::help) << line;
    for (const char* line : {"--version", "--ver", "init --nonsense --version"})
        EXPECT_EQ(parsed(words_of(line)).action, Action::version) << line;
    EXPECT_EQ(parsed(words_of("isolate --pool=p ls -- -h --version")).action, Action::run);
}

std::string integer_error(const std::string& text) {
    const auto number = to_integer("--interval", text);
    return number ? "" : number.error().message;
}

TEST(CompatArguments, NumbersAreCheckedWhenTheyAreUsed) {
    EXPECT_EQ(to_integer("--interval", " 60 ").value(), 60);
    EXPECT_EQ(to_integer("--interval", "+5").value(), 5);
    EXPECT_EQ(to_integer("--interval", "-1").value(), -1);
    EXPECT_EQ(to_integer("--interval", "007").value(), 7);
    for (const char* text : {"1.5", "two", "", " ", "+", "-", "+-1", "--1", "1 2", "0x10", "1e3",
                             "99999999999999999999"}) {
        EXPECT_EQ(integer_error(text), "--interval: expected a whole number, not " + quote(text));
    }
    Options options = Options::defaults();
    options.num_exclusive_cores = "-1";
    options.num_shared_cores = "2.5";
    EXPECT_EQ(options.exclusive_cores().error().message,
              "--num-exclusive-cores: expected a whole number of at least 0, not \"-1\"");
    EXPECT_EQ(options.shared_cores().error().message,
              "--num-shared-cores: expected a whole number, not \"2.5\"");
    options.num_shared_cores = "99999999999";
    EXPECT_FALSE(options.shared_cores());
    options.insecure = "maybe";
    EXPECT_EQ(options.is_insecure().error().message,
              "--insecure: expected True or False, not \"maybe\"");
}

TEST(CompatArguments, SocketIsANumberOrAny) {
    Options options = Options::defaults();
    options.socket_id = "";
    EXPECT_EQ(options.socket().value(), std::nullopt);
    options.socket_id = "1";
    EXPECT_EQ(options.socket().value(), 1U);
    options.socket_id = "-2";
    EXPECT_FALSE(options.socket());
    options.socket_id = "../0";
    EXPECT_FALSE(options.socket());
}

TEST(CompatUsage, ErrorIsReasonAndUsageBlock) {
    const std::string text = usage_error_text(parse_invocation({"init", "--conf"}).error());
    EXPECT_TRUE(
        text.starts_with("--conf is not a unique prefix: --conf-dir, --conf-file?\n"
                         "Usage:\n  cmk (-h | --help)\n  cmk --version\n"
                         "  cmk cluster-init (--host-list=<list>|--all-hosts) "))
        << text;
    EXPECT_TRUE(
        text.ends_with("  cmk reaffinitize [--conf-dir=<dir>] [--namespace=<name>] "
                       "[--node-name=<name>]\n"))
        << text;
}

TEST(CompatUsage, ShowsEveryFormWithinTheWidthOfATerminal) {
    const std::string block = usage_block();
    for (const SubcommandRow& row : subcommands())
        EXPECT_NE(block.find("\n  cmk " + std::string(row.name)), std::string::npos) << row.name;
    EXPECT_NE(block.find("\n  cmk isolate [--conf-dir=<dir>] --pool=<pool>"), std::string::npos);
    EXPECT_NE(block.find("<command> [-- <args> ...]\n"), std::string::npos) << block;
    for (const std::string_view line : split(help_text(), '\n'))
        EXPECT_LT(line.size(), 100U) << line;
}

TEST(CompatUsage, HelpNamesEveryOptionWithItsDefault) {
    const std::string help = help_text();
    EXPECT_NE(help.find(usage_block()), std::string::npos);
    for (const OptionRow& row : option_rows()) {
        EXPECT_NE(help.find("\n  " + std::string(row.name)), std::string::npos) << row.name;
        EXPECT_NE(help.find("[default: " + std::string(row.preset)), std::string::npos);
    }
    EXPECT_EQ(version_text(), "CMK v" CMK_VERSION "\n");
}

TEST(CompatUsage, TheOriginalsNameIsThatOfAFile) {
    for (const char* name : {"cmk", "/opt/bin/cmk", "./cmk", "/cmk/cmk.py"}) {
        EXPECT_TRUE(is_original_name(name)) << name;
    }
    for (const char* name : {"", "cmkctl", "/usr/bin/cmkctl", "/cmk/cmkctl", "/cmk/", "cmk.pyc"}) {
        EXPECT_FALSE(is_original_name(name)) << name;
    }
}

}  // namespace
}  // namespace cmk::compat
