// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "k8s/server_version.h"
#include "support/kube_recorded.h"

namespace cmk::k8s {
namespace {

struct Parsed {
    const char* text;
    ServerVersion version;
};

TEST(ServerVersion, IsReadAsTheOriginalReadsIt) {
    const Parsed cases[] = {{"v1.10.0-rc.1", {1, 10, 0}},
                            {"v1.1-dirty", {1, 1, 0}},
                            {"v1.12.0-alpha.0.2126+c9e1abca8c6d24-dirty", {1, 12, 0}},
                            {" 1.9.3 ", {1, 9, 3}},
                            {"1", {1, 0, 0}},
                            {"v1.30.1.2", {1, 30, 1}}};
    for (const Parsed& each : cases) {
        const auto version = parse_server_version(each.text);
        ASSERT_TRUE(version) << each.text;
        EXPECT_EQ(*version, each.version) << each.text;
    }
    for (const char* text : {"", "v", "unknown", "99999999999999999999"})
        EXPECT_FALSE(parse_server_version(text)) << text;
}

TEST(ServerVersion, IsComparedByNumber) {
    EXPECT_GT(*parse_server_version("1.10"), *parse_server_version("1.9"));
    EXPECT_EQ(*parse_server_version("1"), *parse_server_version("1.0.0"));
}

struct Rules {
    const char* version;
    bool opaque, annotation, third_party, v1;
};

TEST(ServerVersion, DecidesWhatIsPublishedHow) {
    const Rules cases[] = {
        {"1.5.0", true, true, true, false},     {"1.6.13", true, true, true, false},
        {"1.7.0", true, false, false, false},   {"1.7.16", true, false, false, false},
        {"1.8.1", false, false, false, false},  {"1.9.0", false, false, false, false},
        {"1.15.9", false, false, false, false}, {"1.16.0", false, false, false, true},
        {"v1.36.2", false, false, false, true}};
    for (const Rules& each : cases) {
        const auto rules = rules_for(*parse_server_version(each.version));
        ASSERT_TRUE(rules) << each.version;
        EXPECT_EQ(rules->opaque_resource, each.opaque) << each.version;
        EXPECT_EQ(rules->taint_annotation, each.annotation) << each.version;
        EXPECT_EQ(rules->third_party_reports, each.third_party) << each.version;
        EXPECT_EQ(rules->crd_v1, each.v1) << each.version;
    }
}

TEST(ServerVersion, Of1_8_0IsRefusedWithTheReason) {
    const auto rules = rules_for({1, 8, 0});
    ASSERT_FALSE(rules);
    EXPECT_NE(rules.error().message.find("extended resources"), std::string::npos);
    EXPECT_NE(rules.error().message.find("1.8.1"), std::string::npos);
    EXPECT_FALSE(rules_for({1, 4, 9}));
}

TEST(ServerVersion, IsReadFromRealServers) {
    const std::pair<const char*, ServerVersion> cases[] = {
        {"1.8.0", {1, 8, 0}}, {"1.9.0", {1, 9, 0}}, {"1.20.2", {1, 20, 2}}, {"1.36.2", {1, 36, 2}}};
    for (const auto& [folder, expected] : cases) {
        const Answer answer = test::recorded_answer(std::string(folder) + "/001-version");
        const auto version = parse_server_version(text_of(answer.object(), "gitVersion"));
        ASSERT_TRUE(version) << folder;
        EXPECT_EQ(*version, expected);
    }
}

}  // namespace
}  // namespace cmk::k8s
