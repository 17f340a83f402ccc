// SPDX-License-Identifier: Apache-2.0
// Messages that no program of ours sends.
#include <gtest/gtest.h>

#include "ipc/errors.h"
#include "ipc/wire.h"

namespace cmk {
namespace {

std::string nested(std::size_t levels) {
    return R"({"method":"org.cmk.Agent.ListPools","parameters":{"x":)" + std::string(levels, '[') +
           std::string(levels, ']') + "}}";
}

TEST(HostileMessage, nesting_does_not_use_up_the_stack) {
    for (const std::size_t levels : {31U, 1000U, 32000U}) {
        const auto call = wire::decode_call(nested(levels));
        ASSERT_TRUE(std::holds_alternative<wire::Failure>(call)) << levels;
        EXPECT_EQ(wire::to_error(std::get<wire::Failure>(call)).code, Errc::invalid_argument);
    }
    EXPECT_EQ(wire::decode_reply<Grant>(nested(1000000)).error().code, Errc::unavailable);
}

TEST(HostileMessage, brackets_in_strings_do_not_nest) {
    const std::string text = std::string(100, '[') + R"(\"{\\)";
    const auto call = wire::decode_call(
        R"({"method":"org.cmk.Agent.Release","parameters":{"lease":")" + text + R"("}})");
    ASSERT_TRUE(std::holds_alternative<wire::Call>(call));
    const auto& release = std::get<wire::Release>(std::get<wire::Call>(call).method);
    EXPECT_EQ(release.lease, std::string(100, '[') + R"("{\)");
}

TEST(HostileMessage, a_cpulist_names_CPUs_again_only_so_often) {
    std::string list = "0-8191,0-8191";
    EXPECT_EQ(CpuSet::parse(list)->count(), kMaxCpus);
    list += ",5";
    EXPECT_EQ(CpuSet::parse(list).error().code, Errc::invalid_argument);
    for (int i = 0; i < 5000; ++i)
        list += ",0-8191:1/2";
    EXPECT_EQ(CpuSet::parse(list).error().code, Errc::invalid_argument);
}

TEST(HostileMessage, a_failure_without_a_message_says_what_its_code_means) {
    const auto reply = wire::decode_reply<Grant>(R"({"error":"org.cmk.Agent.UnknownPool"})");
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Errc::unknown_pool);
    EXPECT_EQ(reply.error().message, name_of(Errc::unknown_pool).text);
}

}  // namespace
}  // namespace cmk
