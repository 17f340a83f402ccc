// SPDX-License-Identifier: Apache-2.0
#include "base/file_io.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace cmk {
namespace {

class FileIo : public ::testing::Test {
protected:
    FileIo() {
        std::string pattern = (std::filesystem::temp_directory_path() / "cmk-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
        dir_ = open_dir_at(AT_FDCWD, path_.string()).value();
    }
    ~FileIo() override { std::filesystem::remove_all(path_); }

    int dir() const { return dir_.get(); }

    std::filesystem::path path_;
    UniqueFd dir_;
};

TEST_F(FileIo, replaces_and_reads_back_a_file) {
    ASSERT_TRUE(replace_file_at(dir(), "state", "one"));
    EXPECT_EQ(*read_file_at(dir(), "state"), "one");
    ASSERT_TRUE(replace_file_at(dir(), "state", "two"));
    EXPECT_EQ(*read_file_at(dir(), "state"), "two");
    EXPECT_EQ(*list_dir_at(dir(), "."), std::vector<std::string>{"state"});
}

TEST_F(FileIo, replaced_files_have_the_mode_that_was_asked_for) {
    ASSERT_TRUE(replace_file_at(dir(), "private", "x"));
    struct stat info {};
    ASSERT_EQ(::fstatat(dir(), "private", &info, 0), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0600U);
}

TEST_F(FileIo, reads_files_longer_than_one_buffer_up_to_the_bound) {
    const std::string text(10000, 'x');
    ASSERT_TRUE(replace_file_at(dir(), "long", text));
    EXPECT_EQ(*read_file_at(dir(), "long"), text);
    EXPECT_EQ(*read_file_at(dir(), "long", 10000), text);
    const auto cut = read_file_at(dir(), "long", 9999);
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, Errc::invalid_argument);
}

TEST_F(FileIo, writes_only_into_files_that_exist) {
    const Status missing = write_file_at(dir(), "cpuset.cpus", "0-3");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().sys_errno, ENOENT);
    EXPECT_NE(missing.error().message.find("cpuset.cpus"), std::string::npos);
    ASSERT_TRUE(replace_file_at(dir(), "cpuset.cpus", ""));
    ASSERT_TRUE(write_file_at(dir(), "cpuset.cpus", "0-3"));
    EXPECT_EQ(*read_file_at(dir(), "cpuset.cpus"), "0-3");
}

TEST_F(FileIo, errors_name_the_path_and_the_errno) {
    const auto missing = read_file_at(dir(), "no/such");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::io);
    EXPECT_EQ(missing.error().sys_errno, ENOENT);
    EXPECT_NE(missing.error().message.find("no/such"), std::string::npos);
    EXPECT_EQ(replace_file_at(dir(), "no/such", "x").error().sys_errno, ENOENT);
    EXPECT_EQ(open_dir_at(dir(), "no").error().sys_errno, ENOENT);
    EXPECT_EQ(list_dir_at(dir(), "no").error().sys_errno, ENOENT);
}

TEST_F(FileIo, a_failed_replacement_leaves_no_temporary_file) {
    ASSERT_TRUE(make_dir_at(dir(), "busy", 0700));
    ASSERT_TRUE(replace_file_at(dir(), "busy/file", "x"));
    EXPECT_FALSE(replace_file_at(dir(), "busy", "y"));
    EXPECT_EQ(*list_dir_at(dir(), "."), std::vector<std::string>{"busy"});
}

TEST_F(FileIo, what_lies_at_the_temporary_name_is_not_written_to) {
    ASSERT_TRUE(replace_file_at(dir(), "victim", "kept"));
    const auto temporary = path_ / ("state." + std::to_string(::getpid()) + ".new");
    std::filesystem::create_symlink("victim", temporary);
    ASSERT_TRUE(replace_file_at(dir(), "state", "mine"));
    EXPECT_EQ(*read_file_at(dir(), "victim"), "kept");
    EXPECT_EQ(*read_file_at(dir(), "state"), "mine");
    EXPECT_FALSE(std::filesystem::is_symlink(path_ / "state"));
    std::filesystem::create_hard_link(path_ / "victim", temporary);
    ASSERT_TRUE(replace_file_at(dir(), "state", "again"));
    EXPECT_EQ(*read_file_at(dir(), "victim"), "kept");
    EXPECT_EQ(*list_dir_at(dir(), "."), (std::vector<std::string>{"state", "victim"}));
}

TEST_F(FileIo, makes_a_directory_once_and_opens_it_again) {
    ASSERT_TRUE(make_dir_at(dir(), "leases", 0700));
    const auto again = make_dir_at(dir(), "leases", 0700);
    ASSERT_TRUE(again);
    ASSERT_TRUE(replace_file_at(again->get(), "a", ""));
    EXPECT_EQ(*list_dir_at(dir(), "leases"), std::vector<std::string>{"a"});
    EXPECT_EQ(make_dir_at(dir(), "leases/a", 0700).error().sys_errno, ENOTDIR);
}

TEST_F(FileIo, lists_names_in_order) {
    for (const char* name : {"b", "a", "c"})
        ASSERT_TRUE(replace_file_at(dir(), name, ""));
    EXPECT_EQ(*list_dir_at(dir(), "."), (std::vector<std::string>{"a", "b", "c"}));
}

}  // namespace
}  // namespace cmk
