// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "support/agent_process.h"

namespace cmk::test {

/// Is the feature named in $CMK_TEST_REQUIRE ("root,cpuset1,dbus")? Then its lack is a failure.
inline bool is_required(const std::string& feature) {
    const char* list = std::getenv("CMK_TEST_REQUIRE");
    return list != nullptr &&
           ("," + std::string(list) + ",").find("," + feature + ",") != std::string::npos;
}

/// "" when the machine has the feature, else what is missing.
inline std::string missing(const std::string& feature) {
    if (feature == "root" && ::geteuid() != 0) return "needs root";
    if (feature == "cpuset1" && cpuset_v1_mount().empty()) return "needs a v1 cpuset hierarchy";
    if (feature == "dbus" && ::access("/usr/bin/dbus-daemon", X_OK) != 0)
        return "needs dbus-daemon";
    if (feature == "strace" && ::access("/usr/bin/strace", X_OK) != 0) return "needs strace";
    return "";
}

}  // namespace cmk::test

/// Skips the test, saying why, on a machine without the feature; fails it where CI requires it.
#define CMK_NEEDS(feature)                                                               \
    do {                                                                                 \
        const std::string cmk_missing = cmk::test::missing(feature);                     \
        if (cmk_missing.empty()) break;                                                  \
        if (cmk::test::is_required(feature)) FAIL() << "required here: " << cmk_missing; \
        GTEST_SKIP() << cmk_missing;                                                     \
    } while (false)
