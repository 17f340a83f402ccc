// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/process_id.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace cmk::compat {
namespace {

namespace fs = std::filesystem;

/// The fields 3 to 24 of a stat file; field 22 is 987654.
constexpr char kFields[] = "S 1 10 10 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200\n";

TEST(CompatProcessId, PidIsTheFirstField) {
    EXPECT_EQ(*pid_in_stat("1234 (fake) R 1 2 3"), 1234);
    EXPECT_EQ(*pid_in_stat("1"), 1);
    for (const char* bad : {"", " ", "0 (x)", "-1 (x)", "(fake) 1", "12x (y)", "4294967296 (x)"})
        EXPECT_FALSE(pid_in_stat(bad)) << bad;
}

TEST(CompatProcessId, StartTimeIsWhereTheCommandEnds) {
    for (const char* command : {"(cat)", "()", "(a b)", "(a) S 1 2 3)", "(:-) )", "())", "(\n)"}) {
        const auto time = start_time_in_stat("77 " + std::string(command) + " " + kFields);
        ASSERT_TRUE(time) << command;
        EXPECT_EQ(*time, 987654U) << command;
    }
    for (const char* bad : {"", "77", "77 (cat", "77 (cat) S 1 2", "77 (cat) "})
        EXPECT_FALSE(start_time_in_stat(bad)) << bad;
    EXPECT_FALSE(start_time_in_stat("7 (x) S 1 10 10 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 x 1 2"));
}

TEST(CompatProcessId, ReadsTheRealProcfs) {
    EXPECT_EQ(own_pid("/proc").value(), ::getpid());
    EXPECT_GT(start_time_of("/proc", ::getpid()).value(), 0U);
    EXPECT_EQ(start_time_of("/proc", 0).error().sys_errno, ENOENT);
}

TEST(CompatProcessId, TrustsTheProcfsThatItIsGiven) {
    char name[] = "/tmp/cmk-proc-XXXXXX";
    const std::string root = ::mkdtemp(name);
    EXPECT_EQ(own_pid(root).error().sys_errno, ENOENT);
    EXPECT_NE(own_pid(root).error().message.find(root + "/self/stat"), std::string::npos);
    fs::create_directory(root + "/self");
    std::ofstream(root + "/self/stat") << "28025 (cmk) " << kFields;
    EXPECT_EQ(*own_pid(root), 28025);
    std::ofstream(root + "/self/stat") << "junk";
    EXPECT_EQ(own_pid(root).error().message, root + "/self/stat: it has no process id");
    fs::remove_all(root);
}

}  // namespace
}  // namespace cmk::compat
