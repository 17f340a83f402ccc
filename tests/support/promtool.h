// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

#include "support/command.h"

namespace cmk::test {

/// Fails the test where promtool finds fault with the page. Where there is no promtool nothing is
/// found; CI has one.
inline void expect_valid_metrics(const std::string& page) {
    if (::system("command -v promtool >/dev/null") != 0) {
        EXPECT_EQ(::getenv("CI"), nullptr) << "this machine lacks promtool, which CI has to have";
        return;
    }
    std::string file = "/tmp/cmk-metrics-XXXXXX";
    const UniqueFd made(::mkstemp(file.data()));
    std::ofstream(file) << page;
    const Outcome checked = run({"sh", "-c", "promtool check metrics < " + file});
    ::unlink(file.c_str());
    EXPECT_EQ(checked.exit, 0) << checked.out << checked.err << page;
    EXPECT_EQ(checked.out + checked.err, "");
}

}  // namespace cmk::test
