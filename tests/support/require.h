// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "support/agent_process.h"
#include "support/skip.h"

namespace cmk::test {

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
#define CMK_NEEDS(feature)                                           \
    do {                                                             \
        const std::string cmk_missing = cmk::test::missing(feature); \
        if (cmk_missing.empty()) break;                              \
        CMK_SKIP(feature, cmk_missing);                              \
    } while (false)
