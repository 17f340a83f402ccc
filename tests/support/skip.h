// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace cmk::test {

/// Is the feature named in $CMK_TEST_REQUIRE ("root,cpuset1")? Then its lack is a failure.
inline bool is_required(const std::string& feature) {
    const char* list = std::getenv("CMK_TEST_REQUIRE");
    return list != nullptr &&
           ("," + std::string(list) + ",").find("," + feature + ",") != std::string::npos;
}

}  // namespace cmk::test

/// Skips the test, saying why; fails it where CI requires the feature that it lacks.
#define CMK_SKIP(feature, why)                                                   \
    do {                                                                         \
        if (cmk::test::is_required(feature)) FAIL() << "required here: " << why; \
        GTEST_SKIP() << why;                                                     \
    } while (false)
