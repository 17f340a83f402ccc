// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/plan.h"

#include <gtest/gtest.h>

namespace cmk::k8s {
namespace {

constexpr char kCommands[] =
    "CMK command should be one of ['init', 'discover', 'install', 'reconcile', 'nodereport']";
constexpr char kInitFirst[] = "init command should be run and listed first.";
constexpr char kPolicy[] = "Image pull policy should be one of ['Never', 'IfNotPresent', 'Always']";
constexpr char kExclusive[] = "num_exclusive_cores cores should be a positive integer.";
constexpr char kShared[] = "num_shared_cores cores should be a positive integer.";

std::string refusal(const InitOptions& options) {
    const auto plan = make_plan(options);
    return plan ? "" : plan.error().message;
}

using Words = std::vector<std::string>;

TEST(ClusterPlan, TheDefaultIsTheOriginals) {
    const auto plan = make_plan({});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->one_shots, (Words{"init", "install", "discover"}));
    EXPECT_EQ(plan->daemons, (Words{"reconcile", "nodereport"}));
}

TEST(ClusterPlan, CommandsStayInTheOrderGiven) {
    const auto plan = make_plan({.commands = " init ,nodereport, discover,install"});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->one_shots, (Words{"init", "discover", "install"}));
    EXPECT_EQ(plan->daemons, (Words{"nodereport"}));
    EXPECT_TRUE(make_plan({.commands = "discover"}));
}

TEST(ClusterPlan, WhatIsWrongIsSaidWithTheOriginalsTexts) {
    EXPECT_EQ(refusal({.commands = "fakecmd1, fakecmd2"}), kCommands);
    EXPECT_EQ(refusal({.commands = "init, fakecmd1, install"}), kCommands);
    EXPECT_EQ(refusal({.commands = ""}), kCommands);
    EXPECT_EQ(refusal({.commands = "init,node-report"}), kCommands);
    EXPECT_EQ(refusal({.commands = "discover, init"}), kInitFirst);
    EXPECT_EQ(refusal({.pull_policy = "fakepol1"}), kPolicy);
    EXPECT_EQ(refusal({.exclusive_cores = "-1"}), kExclusive);
    EXPECT_EQ(refusal({.exclusive_cores = "3.5"}), kExclusive);
    EXPECT_EQ(refusal({.exclusive_cores = ""}), kExclusive);
    EXPECT_EQ(refusal({.shared_cores = "2.5"}), kShared);
    EXPECT_EQ(refusal({.shared_cores = "10.5"}), kShared);
    EXPECT_EQ(refusal({.exclusive_cores = "0", .shared_cores = "0"}), "");
}

TEST(ClusterPlan, TheFirstOfSeveralIsSaid) {
    EXPECT_EQ(refusal({.commands = "x,init", .pull_policy = "x", .exclusive_cores = "x"}),
              kCommands);
    EXPECT_EQ(refusal({.commands = "discover,init", .pull_policy = "x"}), kInitFirst);
    EXPECT_EQ(refusal({.pull_policy = "x", .exclusive_cores = "x"}), kPolicy);
    EXPECT_EQ(refusal({.exclusive_cores = "x", .shared_cores = "x"}), kExclusive);
    EXPECT_EQ(refusal({.shared_cores = "x", .shared_mode = ";"}), kShared);
}

TEST(ClusterPlan, WhatAShellOrAMountWouldMisreadIsRefused) {
    for (const InitOptions& options :
         {InitOptions{.exclusive_mode = "packed; reboot"}, InitOptions{.shared_mode = "$(x)"},
          InitOptions{.shared_mode = ""}, InitOptions{.non_isolcpus = "1`x`"},
          InitOptions{.conf_dir = "etc/cmk"}, InitOptions{.conf_dir = "/etc:/x"},
          InitOptions{.install_dir = "/opt/../bin"}, InitOptions{.image = ""},
          InitOptions{.name_space = "No_Such"}, InitOptions{.insecure = "maybe"},
          InitOptions{.commands = "init,install,install"}}) {
        const auto plan = make_plan(options);
        ASSERT_FALSE(plan);
        EXPECT_EQ(plan.error().code, Errc::invalid_argument);
        EXPECT_FALSE(plan.error().message.empty());
    }
    EXPECT_TRUE(make_plan({.non_isolcpus = "3-5,9", .insecure = "true"}));
}

TEST(ClusterPlan, HostsAreListedWithoutBlanksAndOnce) {
    EXPECT_EQ(*listed_hosts("fakenode1, fakenode2, fakenode3"),
              (Words{"fakenode1", "fakenode2", "fakenode3"}));
    EXPECT_EQ(*listed_hosts("a,b,a"), (Words{"a", "b"}));
    for (const char* list : {"", "a,,b", "a,", "No_De", "a b", "a/b", "../x"})
        EXPECT_FALSE(listed_hosts(list)) << list;
}

}  // namespace
}  // namespace cmk::k8s
