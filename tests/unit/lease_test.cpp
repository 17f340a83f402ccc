// SPDX-License-Identifier: Apache-2.0
#include "core/lease.h"

#include <gtest/gtest.h>

namespace cmk {
namespace {

CpuSet cpus(const char* text) {
    return CpuSet::parse(text).value();
}

CpuSet restored(const char* mask, const char* allowed, const char* isolated) {
    return masks_to_restore({{7, cpus(mask)}}, cpus(allowed), cpus(isolated)).at(0).cpus;
}

TEST(MasksToRestore, AMaskThatWasChosenComesBackAsItWas) {
    EXPECT_EQ(restored("4", "4-7", ""), cpus("4"));
    EXPECT_EQ(restored("2-3", "0-7", "2-3"), cpus("2-3"));
    EXPECT_EQ(restored("0-7", "", ""), cpus("0-7"));
}

TEST(MasksToRestore, AMaskThatTheCgroupMadeFollowsItAgain) {
    const CpuSet all = CpuSet::first(kMaxCpus);
    EXPECT_EQ(restored("4-7", "4-7", ""), all);
    EXPECT_EQ(restored("0-7", "0-7", "2-3"), all);
    EXPECT_EQ(restored("0-1,4-7", "0-7", "2-3"), all - cpus("2-3"));
    EXPECT_EQ(restored("0-1,4-5", "0-1,4-5", "2-3,6-7"), all - cpus("2-3,6-7"));
}

}  // namespace
}  // namespace cmk
