// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/environment.h"

#include <gtest/gtest.h>

#include <map>

namespace cmk::compat {
namespace {

Environment with(std::map<std::string, std::string> variables) {
    return Environment([variables = std::move(variables)](const std::string& name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
}

TEST(CompatEnvironment, DefaultsAreTheOriginals) {
    const Environment none = with({});
    EXPECT_FALSE(none.lock_timeout());
    EXPECT_EQ(*none.log_level(), LogLevel::info);
    EXPECT_EQ(*none.num_cores(), 1U);
    EXPECT_EQ(none.sysfs_root(), "");
    EXPECT_EQ(none.proc_fs().error().message,
              "CMK_PROC_FS is not set: cannot get host process information");
    EXPECT_EQ(none.node_name().error().message,
              "NODE_NAME is not set: cannot tell which Kubernetes node this is");
}

TEST(CompatEnvironment, GivesWhatIsSet) {
    const Environment all = with({{"CMK_PROC_FS", "/host/proc"},
                                  {"CMK_DEV_LSCPU_SYSFS", "/tmp/machine"},
                                  {"CMK_NUM_CORES", " 3 "},
                                  {"NODE_NAME", "node1"}});
    EXPECT_EQ(*all.proc_fs(), "/host/proc");
    EXPECT_EQ(all.sysfs_root(), "/tmp/machine");
    EXPECT_EQ(*all.num_cores(), 3U);
    EXPECT_EQ(*all.node_name(), "node1");
}

TEST(CompatEnvironment, AnEmptyPathOrNameIsNone) {
    const Environment empty = with({{"CMK_PROC_FS", ""}, {"NODE_NAME", ""}});
    EXPECT_FALSE(empty.proc_fs());
    EXPECT_FALSE(empty.node_name());
}

TEST(CompatEnvironment, LogLevelIsAnExactName) {
    const std::pair<const char*, LogLevel> names[] = {{"CRITICAL", LogLevel::critical},
                                                      {"ERROR", LogLevel::error},
                                                      {"WARNING", LogLevel::warning},
                                                      {"INFO", LogLevel::info},
                                                      {"DEBUG", LogLevel::debug}};
    for (const auto& [name, level] : names)
        EXPECT_EQ(*with({{"CMK_LOG_LEVEL", name}}).log_level(), level);
    for (const char* bad : {"debug", "10", "", "INFO ", "WARN"}) {
        const auto level = with({{"CMK_LOG_LEVEL", bad}}).log_level();
        ASSERT_FALSE(level) << bad;
        EXPECT_EQ(level.error().message,
                  "CMK_LOG_LEVEL must be one of CRITICAL, ERROR, WARNING, INFO, DEBUG, not \"" +
                      std::string(bad) + "\"");
    }
}

TEST(CompatEnvironment, NumCoresIsPositive) {
    for (const char* bad : {"0", "-1", "", "two", "1.5", "99999"}) {
        const auto number = with({{"CMK_NUM_CORES", bad}}).num_cores();
        ASSERT_FALSE(number) << bad;
        EXPECT_EQ(number.error().message,
                  "CMK_NUM_CORES must be a positive integer of at most 8192, not \"" +
                      std::string(bad) + "\"");
    }
}

TEST(CompatEnvironment, OneBadVariableHarmsNoOther) {
    const Environment bad = with({{"CMK_NUM_CORES", "x"}, {"CMK_LOCK_TIMEOUT", "x"}});
    EXPECT_TRUE(bad.log_level());
}

TEST(CompatEnvironment, ChangesWhatTheChildGets) {
    const char* const inherited[] = {"PATH=/bin", "CMK_CPUS_INFRA=9", "A=b=c", "junk", nullptr};
    EXPECT_EQ(changed_environment(inherited, {{"CMK_CPUS_ASSIGNED", "0,8"},
                                              {"CMK_CPUS_INFRA", std::nullopt},
                                              {"A", ""},
                                              {"NEVER", std::nullopt}}),
              (std::vector<std::string>{"PATH=/bin", "junk", "CMK_CPUS_ASSIGNED=0,8", "A="}));
}

TEST(CompatEnvironment, ReadsTheProcess) {
    EXPECT_EQ(process_variable("CMK_SURELY_NOT_SET"), std::nullopt);
    EXPECT_NE(process_variable("PATH"), std::nullopt);
}

}  // namespace
}  // namespace cmk::compat
