// SPDX-License-Identifier: Apache-2.0
#include "agent/log.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>

namespace cmk {
namespace {

/// What is written to standard error.
std::string written(const std::function<void()>& action) {
    testing::internal::CaptureStderr();
    action();
    return testing::internal::GetCapturedStderr();
}

void write_all_levels(const Log& log) {
    log.error("e");
    log.warning("w");
    log.info("i");
    log.debug("d");
}

TEST(Log, WritesWhatIsAsImportantAsItsLevel) {
    const std::pair<LogLevel, const char*> rows[] = {
        {LogLevel::error, "ERROR e\n"},
        {LogLevel::warning, "ERROR e\nWARNING w\n"},
        {LogLevel::info, "ERROR e\nWARNING w\nINFO i\n"},
        {LogLevel::debug, "ERROR e\nWARNING w\nINFO i\nDEBUG d\n"}};
    for (const auto& [level, expected] : rows) {
        EXPECT_EQ(written([level = level] { write_all_levels(Log(level)); }), expected);
    }
}

TEST(Log, TheLevelMayChange) {
    Log log(LogLevel::error);
    log.set_level(LogLevel::warning);
    EXPECT_EQ(written([&] { write_all_levels(log); }), "ERROR e\nWARNING w\n");
}

TEST(Log, FieldsFollowTheMessageUnderTheirShortNames) {
    const Log log(LogLevel::info);
    EXPECT_EQ(
        written([&] {
            log.info("lease given", {{"CMK_LEASE", "l1"}, {"CMK_CPUS", "2-3"}, {"OTHER", ""}});
        }),
        "INFO lease given (lease=l1 cpus=2-3 other=)\n");
}

TEST(Log, AnEntryIsOneLineWithoutControlCharacters) {
    const Log log(LogLevel::info);
    EXPECT_EQ(written([&] {
                  log.info(std::string_view("a\nERROR b\r\t\x1b[31m\x7f\0c", 19),
                           {{"CMK_COMMAND", "x\ny\x01"}});
              }),
              "INFO a?ERROR b???[31m??c (command=x?y?)\n");
}

TEST(Log, TextOfOtherLanguagesStays) {
    const Log log(LogLevel::info);
    EXPECT_EQ(written([&] { log.info("gr\xc3\xbc\xc3\x9f"); }), "INFO gr\xc3\xbc\xc3\x9f\n");
}

TEST(Log, GoesToTheJournalWhereStandardErrorIsConnectedToIt) {
    const std::string text = written([] {
        struct stat info {};
        ASSERT_EQ(::fstat(STDERR_FILENO, &info), 0);
        const std::string stream = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
        ::setenv("JOURNAL_STREAM", stream.c_str(), 1);
        const Log connected(LogLevel::debug);
        ::setenv("JOURNAL_STREAM", "1:1", 1);
        const Log elsewhere(LogLevel::debug);
        ::unsetenv("JOURNAL_STREAM");
        connected.debug("to the journal of a test", {{"CMK_LEASE", "l1"}});
        elsewhere.debug("to standard error");
    });
    EXPECT_EQ(text, "DEBUG to standard error\n");
}

}  // namespace
}  // namespace cmk
