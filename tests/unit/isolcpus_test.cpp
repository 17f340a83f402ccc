// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/pool_planner.h"

namespace cmk {
namespace {

constexpr unsigned kLastCpu = 15;

struct Case {
    const char* cmdline;
    const char* cpus;
};

class Isolcpus : public ::testing::TestWithParam<Case> {};

TEST_P(Isolcpus, is_read_as_the_kernel_documents_it) {
    const auto cpus = parse_isolcpus(GetParam().cmdline, kLastCpu);
    ASSERT_TRUE(cpus) << cpus.error().message;
    EXPECT_EQ(cpus->to_cpulist(), GetParam().cpus) << GetParam().cmdline;
}

INSTANTIATE_TEST_SUITE_P(
    Words, Isolcpus,
    ::testing::Values(Case{"", ""}, Case{"a b=7 c=7,8,9\nA B C", ""}, Case{"ISOLCPUS=1", ""},
                      Case{"xisolcpus=1 isolcpus", ""}, Case{"isolcpus=", ""},
                      Case{"isolcpus= quiet", ""},
                      Case{"ro net.ifnames=0 isolcpus=0,1,2,3,8,9,10,11\n", "0-3,8-11"},
                      Case{"isolcpus=0-1 quiet isolcpus=2-4", "0-4"},
                      Case{"isolcpus=1 -- isolcpus=2", "1"}, Case{"isolcpus=1\tro", "1"},
                      Case{"\"isolcpus=1-3\" ro", "1-3"}, Case{"isolcpus=\"1-3, 5\" ro", "1-3,5"},
                      Case{"dyndbg=\"a isolcpus=1\" isolcpus=2", "2"}));

INSTANTIATE_TEST_SUITE_P(
    Lists, Isolcpus,
    ::testing::Values(Case{"isolcpus=3", "3"}, Case{"isolcpus=10,11,10-13", "10-13"},
                      Case{"isolcpus=0-15:2/4", "0-1,4-5,8-9,12-13"},
                      Case{"isolcpus=0-N:1/2", "0,2,4,6,8,10,12,14"},
                      Case{"isolcpus=all:1/8", "0,8"}, Case{"isolcpus=0-7:0/2", ""},
                      Case{"isolcpus=N", "15"}, Case{"isolcpus=2-N", "2-15"},
                      Case{"isolcpus=0,N", "0,15"}, Case{"isolcpus=N-N", "15"},
                      Case{"isolcpus=all", "0-15"}, Case{"isolcpus=All", "0-15"},
                      Case{"isolcpus=1,,2,", "1-2"}, Case{"isolcpus=14-20,40-50", "14-15"},
                      Case{"isolcpus=16-N", ""}, Case{"isolcpus=4294967295", ""},
                      Case{"isolcpus=0-4294967295", "0-15"}));

INSTANTIATE_TEST_SUITE_P(Flags, Isolcpus,
                         ::testing::Values(Case{"isolcpus=domain,0-4,8-12", "0-4,8-12"},
                                           Case{"isolcpus=managed_irq,domain,2-5", "2-5"},
                                           Case{"isolcpus=nohz,domain,managed_irq,1", "1"},
                                           Case{"isolcpus=nohz", ""},
                                           Case{"isolcpus=domain,N", "15"}));

struct BadCase {
    const char* cmdline;
    const char* piece;
};

class BadIsolcpus : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadIsolcpus, is_refused_naming_the_piece) {
    const auto cpus = parse_isolcpus(GetParam().cmdline, kLastCpu);
    ASSERT_FALSE(cpus) << cpus->to_cpulist();
    EXPECT_EQ(cpus.error().code, Errc::invalid_argument);
    const std::string named = std::string("in \"") + GetParam().piece + "\"";
    EXPECT_NE(cpus.error().message.find(named), std::string::npos) << cpus.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Isolcpus, BadIsolcpus,
    ::testing::Values(BadCase{"isolcpus=0-1-2", "0-1-2"}, BadCase{"isolcpus=1,domain", "domain"},
                      BadCase{"isolcpus=Domain,1", "Domain"}, BadCase{"isolcpus=5-1", "5-1"},
                      BadCase{"isolcpus=1=2", "1=2"}, BadCase{"isolcpus=-3", "-3"},
                      BadCase{"isolcpus=3-", "3-"}, BadCase{"isolcpus=n", "n"},
                      BadCase{"isolcpus=3:1/2", "3:1/2"}, BadCase{"isolcpus=0-7:1", "0-7:1"},
                      BadCase{"isolcpus=0-7:1/0", "0-7:1/0"},
                      BadCase{"isolcpus=0-7:3/2", "0-7:3/2"}, BadCase{"isolcpus=1:", "1:"},
                      BadCase{"isolcpus=:1/2", ":1/2"},
                      BadCase{"isolcpus=4294967296", "4294967296"},
                      BadCase{"isolcpus=2 isolcpus=x", "x"}));

TEST(Isolcpus, a_last_cpu_beyond_every_id_is_harmless) {
    const auto cpus = parse_isolcpus("isolcpus=8190-N", ~0U);
    ASSERT_TRUE(cpus);
    EXPECT_EQ(cpus->to_cpulist(), "8190-8191");
}

}  // namespace
}  // namespace cmk
