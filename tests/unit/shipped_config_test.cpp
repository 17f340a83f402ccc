// SPDX-License-Identifier: Apache-2.0
// The agent.toml that is installed: every key, commented out, with its default.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "agent/config.h"

namespace cmk {
namespace {

/// Lines of the file; with `uncommented` its settings ("#key = 1"), not its text ("# Text"), apply.
std::string shipped(bool uncommented) {
    std::ifstream file(CMK_TEST_DATA "/../../systemd/agent.toml");
    EXPECT_TRUE(file.is_open());
    std::string text;
    for (std::string line; std::getline(file, line);) {
        const bool setting = line.size() > 1 && line[0] == '#' && line[1] != ' ';
        text += (uncommented && setting ? line.substr(1) : line) + "\n";
    }
    return text;
}

TEST(ShippedConfig, ChangesNothing) {
    const auto config = parse_config({{"agent.toml", shipped(false)}});
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(*config, Config{});
}

TEST(ShippedConfig, ShowsEveryKeyWithItsDefault) {
    auto config = parse_config({{"agent.toml", shipped(true)}});
    ASSERT_TRUE(config) << config.error().message;
    ASSERT_EQ(config->pools.size(), 1U);
    PoolSpec pool{.name = "exclusive"};
    pool.kind = PoolKind::exclusive;
    pool.size = 4U;
    pool.prefer = CpuSet{2, 3, 4, 5, 6, 7, 8, 9};  // the default, none, would show no form
    EXPECT_EQ(config->pools.front(), pool);
    // As many keys as the configuration in force has: none is left out.
    std::istringstream dump(dump_config(*config));
    for (std::string line; std::getline(dump, line);) {
        const std::string key = line.substr(0, line.find(" = ") + 3);
        if (line.find(" = ") == std::string::npos) continue;
        EXPECT_NE(shipped(true).find("\n" + key), std::string::npos) << key;
    }
    config->pools.clear();
    EXPECT_EQ(*config, Config{});
}

}  // namespace
}  // namespace cmk
