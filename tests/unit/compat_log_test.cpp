// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace cmk::compat {
namespace {

/// What a log of the given level writes when it is told one line of each.
std::string written(LogLevel least) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const Log log(least, ends[1]);
    log.debug("d");
    log.info("Adding exclusive pool.");
    log.warning("w");
    log.error("e");
    log.critical("c");
    ::close(ends[1]);
    char buffer[512];
    const ssize_t got = ::read(ends[0], buffer, sizeof buffer);
    ::close(ends[0]);
    return {buffer, static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

TEST(CompatLog, WritesLinesOfItsLevelAndAbove) {
    EXPECT_EQ(written(LogLevel::debug),
              "DEBUG:root:d\nINFO:root:Adding exclusive pool.\nWARNING:root:w\nERROR:root:e\n"
              "CRITICAL:root:c\n");
    EXPECT_EQ(written(LogLevel::info),
              "INFO:root:Adding exclusive pool.\nWARNING:root:w\nERROR:root:e\nCRITICAL:root:c\n");
    EXPECT_EQ(written(LogLevel::warning), "WARNING:root:w\nERROR:root:e\nCRITICAL:root:c\n");
    EXPECT_EQ(written(LogLevel::error), "ERROR:root:e\nCRITICAL:root:c\n");
    EXPECT_EQ(written(LogLevel::critical), "CRITICAL:root:c\n");
}

TEST(CompatLog, NamesAndLevelsFitTogether) {
    for (const LogLevel level :
         {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error, LogLevel::critical})
        EXPECT_EQ(log_level_from(name_of(level)), level);
    EXPECT_EQ(log_level_from("info"), std::nullopt);
}

TEST(CompatLog, OutlivesAClosedDescriptor) {
    Log(LogLevel::info, -1).error("nobody reads this");
}

}  // namespace
}  // namespace cmk::compat
