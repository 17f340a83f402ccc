// SPDX-License-Identifier: Apache-2.0
#include "agent/config_source.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace cmk {
namespace {

namespace fs = std::filesystem;

class ConfigSourceTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "cmk-test-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        dir_ = name;
        put("agent.toml", "");
    }
    void TearDown() override { fs::remove_all(dir_); }

    std::string file() const { return dir_ + "/agent.toml"; }
    void put(const std::string& name, const std::string& text) const {
        fs::create_directories(fs::path(dir_ + "/" + name).parent_path());
        std::ofstream(dir_ + "/" + name) << text;
    }
    std::string content(const std::string& name) const {
        std::ifstream stream(dir_ + "/" + name);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    static std::string shared_pool(const std::string& name, unsigned cores) {
        return "[pools." + name + "]\nkind = \"shared\"\ncores = " + std::to_string(cores) + "\n";
    }
    ConfigSource source() const { return ConfigSource(file()); }
    Config read() const {
        auto config = source().read();
        EXPECT_TRUE(config) << config.error().message;
        return config ? *std::move(config) : Config{};
    }

    std::string dir_;
};

TEST_F(ConfigSourceTest, DropInsComeAfterTheFileInTheOrderOfTheirNames) {
    put("agent.toml.d/20-b.toml", "");
    put("agent.toml.d/10-a.toml", "");
    put("agent.toml.d/9-c.toml", "");
    const auto texts = read_config_files(file());
    ASSERT_TRUE(texts) << texts.error().message;
    std::vector<std::string> names;
    for (const ConfigText& text : *texts)
        names.push_back(text.name.substr(dir_.size()));
    EXPECT_EQ(names,
              (std::vector<std::string>{"/agent.toml", "/agent.toml.d/10-a.toml",
                                        "/agent.toml.d/20-b.toml", "/agent.toml.d/9-c.toml"}));
}

TEST_F(ConfigSourceTest, OtherFilesAmongTheDropInsAreNotRead) {
    for (const char* name : {"50-init.toml.tmp", "50-init.toml.new", "10-a.toml~", "README"})
        put(std::string("agent.toml.d/") + name, "no TOML at all");
    EXPECT_EQ(read(), Config{});
}

TEST_F(ConfigSourceTest, TheFileNamedMustExist) {
    const auto config = ConfigSource(dir_ + "/other.toml").read();
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Errc::io);
    EXPECT_NE(config.error().message.find(dir_ + "/other.toml"), std::string::npos);
}

TEST_F(ConfigSourceTest, AMistakeInADropInNamesIt) {
    put("agent.toml.d/10-a.toml", "\nx = 1\n");
    const auto config = source().read();
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().message.find(dir_ + "/agent.toml.d/10-a.toml:2: x is not known"), 0U);
}

TEST_F(ConfigSourceTest, DropInDirectoriesBelongToTheirFile) {
    EXPECT_EQ(dropin_dir("/a/b.toml"), "/a/b.toml.d");
    EXPECT_EQ(dropin_dir(""), "/etc/cmk-agent/agent.toml.d");
}

TEST_F(ConfigSourceTest, WrittenPoolsAreReadAgain) {
    const std::vector<PoolSpec> pools{{.name = "z", .kind = PoolKind::exclusive, .size = 2U},
                                      {.name = "a"}};
    ASSERT_TRUE(source().write_dropin(pools, ""));
    EXPECT_EQ(read().pools, pools);
    EXPECT_EQ(content("agent.toml.d/50-init.toml").find("# Written by the agent's Reconfigure"),
              0U);
}

TEST_F(ConfigSourceTest, WritingAgainReplacesTheFileAndLeavesNothingElse) {
    ASSERT_TRUE(source().write_dropin({{.name = "a", .size = 1U}, {.name = "b", .size = 1U}}, ""));
    ASSERT_TRUE(source().write_dropin({{.name = "c", .size = 3U}}, ""));
    EXPECT_EQ(read().pools, (std::vector<PoolSpec>{{.name = "c", .size = 3U}}));
    ASSERT_TRUE(source().write_dropin({}, ""));
    EXPECT_TRUE(read().pools.empty());
    EXPECT_EQ(std::distance(fs::directory_iterator(dir_ + "/agent.toml.d"), {}), 1);
}

TEST_F(ConfigSourceTest, OtherDropInsStayAsTheyAre) {
    put("agent.toml.d/10-limits.toml", "[limits]\nleases = 7\n");
    put("agent.toml.d/60-log.toml", "[agent]\nlog_level = \"debug\"\n");
    put("agent.toml.d/50-init.toml.tmp", "half a fi");
    ASSERT_TRUE(source().write_dropin({{.name = "a", .size = 1U}}, ""));
    EXPECT_EQ(content("agent.toml.d/10-limits.toml"), "[limits]\nleases = 7\n");
    EXPECT_EQ(content("agent.toml.d/50-init.toml.tmp"), "half a fi");
    const Config config = read();
    EXPECT_EQ(config.limits.leases, 7U);
    EXPECT_EQ(config.log_level, LogLevel::debug);
    EXPECT_EQ(config.pools.size(), 1U);
}

TEST_F(ConfigSourceTest, APoolOfAnotherFileIsReplaced) {
    put("agent.toml", shared_pool("a", 1));
    ASSERT_TRUE(source().write_dropin({{.name = "a", .size = 4U}, {.name = "b", .size = 1U}}, ""));
    EXPECT_EQ(read().pools,
              (std::vector<PoolSpec>{{.name = "a", .size = 4U}, {.name = "b", .size = 1U}}));
}

TEST_F(ConfigSourceTest, APoolOfAnotherFileThatWouldComeBackIsRefusedByName) {
    put("agent.toml", shared_pool("old", 1));
    const Status written = source().write_dropin({{.name = "a", .size = 4U}}, "");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::conflict);
    EXPECT_EQ(written.error().message.find("pool old is set in a configuration file and would "),
              0U);
    EXPECT_FALSE(fs::exists(dir_ + "/agent.toml.d"));
    // Its own drop-in is no such file, whatever is in it.
    put("agent.toml", "");
    put("agent.toml.d/50-init.toml", "half a fi");
    EXPECT_TRUE(source().write_dropin({{.name = "a", .size = 4U}}, ""));
    EXPECT_EQ(read().pools.size(), 1U);
}

TEST_F(ConfigSourceTest, WithABadFileNothingIsWritten) {
    put("agent.toml.d/60-bad.toml", "[pools");
    const Status written = source().write_dropin({{.name = "a", .size = 4U}}, "");
    ASSERT_FALSE(written);
    EXPECT_NE(written.error().message.find("60-bad.toml:1: "), std::string::npos);
    EXPECT_FALSE(fs::exists(dir_ + "/agent.toml.d/50-init.toml"));
}

TEST_F(ConfigSourceTest, AFileInTheWayIsNamed) {
    put("agent.toml.d", "not a directory");
    const Status written = source().write_dropin({{.name = "a", .size = 4U}}, "");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::io);
    EXPECT_NE(written.error().message.find(dir_ + "/agent.toml.d"), std::string::npos);
}

}  // namespace
}  // namespace cmk
