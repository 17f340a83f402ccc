// SPDX-License-Identifier: Apache-2.0
#include "agent/config.h"

#include <gtest/gtest.h>

namespace cmk {
namespace {

/// The configuration of one file, "a.toml"; the error's text where it is refused.
std::string refused(const std::string& text) {
    const auto config = parse_config({{"a.toml", text}});
    EXPECT_FALSE(config) << text;
    if (config) return "";
    EXPECT_EQ(config.error().code, Errc::invalid_argument);
    return config.error().message;
}

Config parsed(const std::vector<ConfigText>& texts) {
    const auto config = parse_config(texts);
    EXPECT_TRUE(config) << config.error().message;
    return config ? *config : Config{};
}

std::string names(const Config& config) {
    std::string text;
    for (const PoolSpec& pool : config.pools)
        text += (text.empty() ? "" : " ") + pool.name;
    return text;
}

/// A pool's table with this line in it, from line 1 on.
std::string pool_with(const std::string& line) {
    return "[pools.p]\nkind = \"shared\"\n" + line + "\n";
}

TEST(Config, NothingGivesTheDefaults) {
    for (const std::vector<ConfigText>& texts : {std::vector<ConfigText>{},
                                                 {{"a.toml", ""}},
                                                 {{"a.toml", "# nothing\n"}, {"b.toml", ""}}}) {
        EXPECT_EQ(parsed(texts), Config{});
    }
    EXPECT_TRUE(Config{}.pools.empty());
}

TEST(Config, EveryKeyIsRead) {
    const Config config = parsed({{"a.toml", R"(
[agent]
log_level = "debug"
[cgroup]
backend = "v2"
name = "cmk-2"
[limits]
connections = 1
connections_per_caller = 2
request_seconds = 3
waiting = 0
leases = 1000000
[pools.e]
kind = "exclusive"
cores = 2
mode = "spread"
isolation = "cpuset"
require_grade = "C"
allow_users = ["alice", "bob"]
allow_groups = ["users"]
allow_containers = false
[pools.n]
kind = "exclusive"
cpus = "2-3,8"
[pools.r]
kind = "shared"
cores = "rest"
)"}});
    EXPECT_EQ(config.log_level, LogLevel::debug);
    EXPECT_EQ(config.backend, CgroupBackend::v2);
    EXPECT_EQ(config.cgroup_name, "cmk-2");
    EXPECT_EQ(config.limits, (Limits{1, 2, 3, 0, 1000000}));
    ASSERT_EQ(config.pools.size(), 3U);
    EXPECT_EQ(config.pools[0], (PoolSpec{.name = "e",
                                         .kind = PoolKind::exclusive,
                                         .size = 2U,
                                         .mode = PoolMode::spread,
                                         .isolation = Isolation::cpuset,
                                         .require_grade = Grade::C,
                                         .access = {{"alice", "bob"}, {"users"}, false}}));
    EXPECT_EQ(config.pools[1],
              (PoolSpec{.name = "n", .kind = PoolKind::exclusive, .size = CpuSet{2, 3, 8}}));
    EXPECT_EQ(config.pools[2], PoolSpec{.name = "r"});
}

TEST(Config, PoolsKeepTheirPlaceInTheFile) {
    EXPECT_EQ(names(parsed({{"a.toml",
                             "[pools.z]\nkind = \"shared\"\ncores = 1\n"
                             "[pools.a]\nkind = \"shared\"\ncores = 1\n"
                             "[pools.m]\nkind = \"shared\"\ncores = 1\n"}})),
              "z a m");
    EXPECT_EQ(names(parsed({{"a.toml",
                             "pools.z = {kind = \"shared\", cores = 1}\n"
                             "pools.a = {kind = \"shared\", cores = 1}\n"}})),
              "z a");
    EXPECT_EQ(names(parsed({{"a.toml",
                             "pools = {z = {kind = \"shared\", cores = 1}, "
                             "a = {kind = \"shared\", cores = 1}}\n"}})),
              "z a");
}

TEST(Config, ALaterFileReplacesAPoolWholeAndKeepsItsPlace) {
    const Config config =
        parsed({{"a.toml",
                 "[pools.z]\nkind = \"exclusive\"\ncores = 1\nallow_users = [\"alice\"]\n"
                 "[pools.a]\nkind = \"shared\"\ncores = 1\n"},
                {"b.toml",
                 "[pools.n]\nkind = \"shared\"\ncores = 3\n"
                 "[pools.z]\nkind = \"exclusive\"\ncpus = \"4\"\n"}});
    EXPECT_EQ(names(config), "z a n");
    EXPECT_EQ(config.pools[0],
              (PoolSpec{.name = "z", .kind = PoolKind::exclusive, .size = CpuSet{4}}));
}

TEST(Config, ALaterFileReplacesSingleKeysElsewhere) {
    const Config config = parsed({{"a.toml", "[limits]\nwaiting = 5\nleases = 6\n"},
                                  {"b.toml", "[limits]\nleases = 7\n[agent]\n"}});
    EXPECT_EQ(config.limits.waiting, 5U);
    EXPECT_EQ(config.limits.leases, 7U);
}

TEST(Config, UnknownKeysAreRefusedWithTheirPlace) {
    EXPECT_EQ(refused("\n\n[agents]\n"),
              "a.toml:3: agents is not known; known are agent, cgroup, compat, limits, pools");
    EXPECT_EQ(refused("[agent]\nlog_level = \"info\"\ncolour = 1\n"),
              "a.toml:3: agent.colour is not known; known are log_level");
    EXPECT_EQ(refused("[cgroup]\nroot = \"x\"\n"),
              "a.toml:2: cgroup.root is not known; known are backend, name");
    EXPECT_EQ(refused("[limits]\nlease = 1\n")
                  .find("a.toml:2: limits.lease is not known; known "
                        "are connections, connections_per_caller, "),
              0U);
    EXPECT_EQ(refused(pool_with("cores = 1\ncpu = \"1\""))
                  .find("a.toml:4: pools.p.cpu is not known; known are kind, "),
              0U);
    EXPECT_EQ(refused("log_level = \"info\"\n").find("a.toml:1: log_level is not known"), 0U);
}

TEST(Config, TheFileThatIsWrongIsNamed) {
    const auto config =
        parse_config({{"a.toml", "[agent]\n"}, {"dir/b.toml", "\n[agent]\nlog_level = 5\n"}});
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().message, "dir/b.toml:3: agent.log_level must be a string");
}

TEST(Config, BadValuesAreRefusedWithWhatIsAllowed) {
    EXPECT_EQ(refused("[agent]\nlog_level = \"loud\"\n"),
              "a.toml:2: agent.log_level is \"loud\", but must be one of error, warning, info, "
              "debug");
    EXPECT_EQ(refused("[cgroup]\nbackend = \"v3\"\n"),
              "a.toml:2: cgroup.backend is \"v3\", but must be one of auto, v1, v2, affinity");
    for (const char* name : {"leases", "cmk/leases", "cmk leases", ""}) {
        EXPECT_EQ(refused("[cgroup]\nname = \"" + std::string(name) + "\"\n"),
                  "a.toml:2: cgroup.name is \"" + std::string(name) +
                      "\", but must start with \"cmk\" and be of letters, digits, - . _");
    }
    for (const char* value :
         {"0", "-1", "1000001", "1.5", "\"5\"", "true", "9223372036854775807"}) {
        EXPECT_EQ(refused("[limits]\nleases = " + std::string(value) + "\n"),
                  "a.toml:2: limits.leases must be a whole number from 1 to 1000000")
            << value;
    }
    EXPECT_EQ(refused("[limits]\nwaiting = -1\n"),
              "a.toml:2: limits.waiting must be a whole number from 0 to 1000000");
    EXPECT_EQ(refused("agent = 1\n"), "a.toml:1: agent must be a table");
    EXPECT_EQ(refused("pools = []\n"), "a.toml:1: pools must be a table");
}

TEST(Config, BadPoolsAreRefusedWithWhatIsAllowed) {
    EXPECT_EQ(refused("[pools.p]\ncores = 1\n"),
              "a.toml:1: pools.p.kind is missing: \"exclusive\" or \"shared\"");
    EXPECT_EQ(refused("[pools]\np = 5\n"), "a.toml:2: pools.p must be a table");
    EXPECT_EQ(refused("[[pools.p]]\nkind = \"shared\"\n").find("a.toml:1: pools.p must be a table"),
              0U);
    EXPECT_EQ(refused("[pools.\"a/b\"]\nkind = \"shared\"\ncores = 1\n"),
              "a.toml:1: pool name \"a/b\" must be of letters, digits, - . _, 64 at most");
    const std::string size =
        "a.toml:1: pools.p needs exactly one of cores (a number or \"rest\") and cpus (a cpulist "
        "such as \"2-5\")";
    EXPECT_EQ(refused(pool_with("")), size);
    EXPECT_EQ(refused(pool_with("cores = 1\ncpus = \"1\"")), size);
    for (const char* value : {"-1", "8193", "1.0", "\"all\"", "true", "[]"}) {
        EXPECT_EQ(refused(pool_with("cores = " + std::string(value))),
                  "a.toml:3: pools.p.cores must be a whole number from 0 to 8192, or \"rest\"")
            << value;
    }
    EXPECT_EQ(refused("[pools.p]\nkind = \"exclusive\"\ncores = \"rest\"\n"),
              "a.toml:3: pools.p.cores: only a shared pool can have the rest");
    EXPECT_EQ(refused(pool_with("cpus = 3")),
              "a.toml:3: pools.p.cpus must be a string: \"2-5,18\"");
    EXPECT_EQ(refused(pool_with("cpus = \"\"")), "a.toml:3: pools.p.cpus names no CPU");
    EXPECT_EQ(refused(pool_with("cpus = \"4-2\"")).find("a.toml:3: pools.p.cpus: "), 0U);
    EXPECT_EQ(refused(pool_with("cpus = \"1\"\nprefer_cpus = \"1\"")),
              "a.toml:4: pools.p.prefer_cpus goes with a number of cores");
    EXPECT_EQ(refused(pool_with("cores = 1\nprefer_cpus = \"\"")),
              "a.toml:4: pools.p.prefer_cpus names no CPU");
    EXPECT_EQ(refused(pool_with("cores = 1\nmode = \"loose\"")),
              "a.toml:4: pools.p.mode is \"loose\", but must be one of packed, spread");
    EXPECT_EQ(refused(pool_with("cores = 1\nallow_users = \"alice\"")),
              "a.toml:4: pools.p.allow_users must be a list of strings");
    EXPECT_EQ(refused(pool_with("cores = 1\nallow_users = [\"a\",\n 5]")),
              "a.toml:5: pools.p.allow_users must be a list of strings");
    EXPECT_EQ(refused(pool_with("cores = 1\nallow_containers = \"no\"")),
              "a.toml:4: pools.p.allow_containers must be true or false");
}

TEST(Config, TheFirstMistakeIsTheOneTold) {
    EXPECT_EQ(refused("[agent]\nlog_level = 1\n[limits]\nleases = 0\n"),
              "a.toml:2: agent.log_level must be a string");
}

TEST(Config, TextThatIsNoTomlIsRefusedWithItsLine) {
    EXPECT_EQ(refused("[agent]\nlog_level = \n").find("a.toml:2: "), 0U);
    EXPECT_EQ(refused("[agent]\n[agent]\n").find("a.toml:2: "), 0U);
    EXPECT_EQ(refused("[agent\n").find("a.toml:1: "), 0U);
    EXPECT_EQ(refused("a = \"\xff\"\n").find("a.toml:1: "), 0U);
    EXPECT_EQ(refused(std::string("[agent]\n\0\n", 10)).find("a.toml:2: "), 0U);
    EXPECT_EQ(refused(std::string((1U << 20) + 1, '#')), "a.toml is longer than 1 MiB");
    EXPECT_NE(refused("a = " + std::string(100000, '[')), "");
}

TEST(ConfigDump, EveryKeyComesBack) {
    Config config;
    config.log_level = LogLevel::warning;
    config.backend = CgroupBackend::affinity;
    config.cgroup_name = "cmk.test_1";
    config.limits = {9, 8, 7, 0, 5};
    config.pools = {{.name = "z.1",
                     .kind = PoolKind::exclusive,
                     .size = 2U,
                     .mode = PoolMode::spread,
                     .prefer = CpuSet{2, 3, 4},
                     .isolation = Isolation::partition,
                     .require_grade = Grade::A,
                     .access = {{"a\"b\\c", "\x01\x1f\x7f\n\t"},
                                {"gr\xc3\xbc"},
                                false,
                                {"a-*.service"},
                                {"1f*"},
                                3,
                                4}},
                    {.name = "a", .kind = PoolKind::exclusive, .size = CpuSet{1, 2, 3, 8191}},
                    {.name = "0", .size = 0U},
                    {.name = "true"}};
    EXPECT_EQ(parsed({{"dump", dump_config(config)}}), config);
    EXPECT_EQ(parsed({{"dump", dump_config(Config{})}}), Config{});
}

TEST(ConfigDump, EveryChoiceComesBack) {
    for (const LogLevel level :
         {LogLevel::error, LogLevel::warning, LogLevel::info, LogLevel::debug}) {
        EXPECT_EQ(parsed({{"dump", dump_config({.log_level = level})}}).log_level, level);
    }
    for (const CgroupBackend backend : {CgroupBackend::automatic, CgroupBackend::v1,
                                        CgroupBackend::v2, CgroupBackend::affinity}) {
        EXPECT_EQ(parsed({{"dump", dump_config({.backend = backend})}}).backend, backend);
    }
}

TEST(ConfigDump, NamesOfEveryKindComeBack) {
    // Reconfigure writes what a message named; the next start has to read it.
    for (const std::string& name :
         {std::string("a\0b", 3), std::string("\xc2\x85"), std::string("\xe2\x80\xa8"),
          std::string("\xef\xbb\xbf"), std::string("\xef\xbf\xbf"), std::string("\xf0\x9f\x98\x80"),
          std::string("\"\"\""), std::string("")}) {
        const std::vector<PoolSpec> pools{{.name = "a", .access = {{name}, {}, true}}};
        EXPECT_EQ(parsed({{"dump", dump_dropin(pools, "")}}).pools, pools);
    }
}

TEST(ConfigDump, PoolsAloneComeBackInTheirOrder) {
    const std::vector<PoolSpec> pools{
        {.name = "z", .size = 1U}, {.name = "a"}, {.name = "m", .size = 2U}};
    EXPECT_EQ(parsed({{"dump", dump_dropin(pools, "")}}).pools, pools);
    EXPECT_EQ(dump_dropin({}, ""), "");
}

TEST(Config, WhatALaterVersionAddedCanBeIgnored) {
    const std::string text =
        "[agent]\nadded_later = 1\nlog_level = \"debug\"\n[added.later]\na = 1\n"
        "[pools.a]\nkind = \"shared\"\ncores = 2\nadded_later = [\"x\"]\n";
    EXPECT_NE(refused(text).find("is not known"), std::string::npos);
    const auto config = parse_config({{"a.toml", text}}, Unknown::ignored);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->log_level, LogLevel::debug);
    EXPECT_EQ(config->pools, (std::vector<PoolSpec>{{.name = "a", .size = 2U}}));
    EXPECT_FALSE(parse_config({{"a.toml", "[limits]\nleases = -1\n"}}, Unknown::ignored));
}

TEST(Config, TheOriginalsDirectoryIsAnAbsolutePathOrNone) {
    EXPECT_EQ(parsed({{"a", "[compat]\nconf_dir = \"/etc/cmk\""}}).compat_dir, "/etc/cmk");
    EXPECT_EQ(parsed({{"a", "[compat]\nconf_dir = \"\""}}).compat_dir, "");
    EXPECT_EQ(parsed({{"dump", dump_dropin({}, "/etc/cmk")}}).compat_dir, "/etc/cmk");
    for (const std::string& bad : {std::string("etc/cmk"), "/" + std::string(90, 'x')}) {
        const auto refused = parse_config({{"a", "[compat]\nconf_dir = \"" + bad + "\""}});
        ASSERT_FALSE(refused) << bad;
        EXPECT_NE(refused.error().message.find("a:2: compat.conf_dir is"), std::string::npos)
            << refused.error().message;
    }
}

}  // namespace
}  // namespace cmk
