// SPDX-License-Identifier: Apache-2.0
#include "agent/options.h"

#include <gtest/gtest.h>

#include "ipc/names.h"

namespace cmk {
namespace {

/// Keeps what help and usage errors print out of the test's output.
std::variant<Options, EarlyExit> parse(std::vector<std::string> args, std::string* printed) {
    args.insert(args.begin(), "cmk-agent");
    std::vector<char*> argv;
    for (std::string& arg : args)
        argv.push_back(arg.data());
    argv.push_back(nullptr);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    auto parsed = parse_options(static_cast<int>(args.size()), argv.data());
    const std::string out = testing::internal::GetCapturedStdout();
    const std::string err = testing::internal::GetCapturedStderr();
    if (printed != nullptr) *printed = out + err;
    return parsed;
}

Options options(std::vector<std::string> args) {
    std::string printed;
    auto parsed = parse(std::move(args), &printed);
    EXPECT_TRUE(std::holds_alternative<Options>(parsed)) << printed;
    auto* found = std::get_if<Options>(&parsed);
    return found == nullptr ? Options{} : *std::move(found);
}

/// The exit code, or -1 when the agent would go on.
int early_exit(std::vector<std::string> args, std::string* printed = nullptr) {
    const auto parsed = parse(std::move(args), printed);
    const auto* early = std::get_if<EarlyExit>(&parsed);
    return early == nullptr ? -1 : early->code;
}

TEST(Options, WithoutArgumentsTheInstalledAgentServes) {
    const Options found = options({});
    EXPECT_EQ(found.action, Options::Action::serve);
    EXPECT_FALSE(found.foreground);
    EXPECT_EQ(found.config, "");
    EXPECT_EQ(found.state_dir, kDefaultStateDir);
    EXPECT_EQ(found.socket, kDefaultSocket);
    EXPECT_EQ(found.bus, "system");
    EXPECT_EQ(found.ready_fd, -1);
}

TEST(Options, EveryOptionIsRead) {
    const Options found =
        options({"--foreground", "--config", "a.toml", "--state-dir=/s", "--socket", "/run/x.sock",
                 "--bus", "unix:path=/b", "--ready-fd", "7"});
    EXPECT_TRUE(found.foreground);
    EXPECT_EQ(found.config, "a.toml");
    EXPECT_EQ(found.state_dir, "/s");
    EXPECT_EQ(found.socket, "/run/x.sock");
    EXPECT_EQ(found.bus, "unix:path=/b");
    EXPECT_EQ(found.ready_fd, 7);
}

TEST(Options, ActionsAreFlags) {
    EXPECT_EQ(options({"--check-config"}).action, Options::Action::check_config);
    EXPECT_EQ(options({"--dump-config", "--config", "x"}).action, Options::Action::dump_config);
}

TEST(Options, HelpAndVersionEndWell) {
    std::string printed;
    EXPECT_EQ(early_exit({"--help"}, &printed), 0);
    for (const char* option : {"--foreground", "--config FILE", "--state-dir DIR", "--socket PATH",
                               "--bus", "--ready-fd FD", "--check-config", "--dump-config"}) {
        EXPECT_NE(printed.find(option), std::string::npos) << option;
    }
    EXPECT_EQ(early_exit({"--version"}, &printed), 0);
    EXPECT_EQ(printed, std::string(CMK_VERSION) + "\n");
}

TEST(Options, WrongUseIsAUsageErrorThatNamesWhatIsWrong) {
    std::string printed;
    EXPECT_EQ(early_exit({"--colour"}, &printed), 2);
    EXPECT_NE(printed.find("--colour"), std::string::npos);
    EXPECT_EQ(early_exit({"serve"}, &printed), 2);
    EXPECT_NE(printed.find("serve"), std::string::npos);
    EXPECT_EQ(early_exit({"--config"}, &printed), 2);
    EXPECT_NE(printed.find("--config"), std::string::npos);
    EXPECT_EQ(early_exit({"--ready-fd", "soon"}, &printed), 2);
    EXPECT_NE(printed.find("--ready-fd"), std::string::npos);
}

}  // namespace
}  // namespace cmk
