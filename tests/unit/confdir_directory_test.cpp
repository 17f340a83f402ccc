// SPDX-License-Identifier: Apache-2.0
#include "confdir/directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "support/confdirs.h"

namespace cmk {
namespace {

namespace fs = std::filesystem;

class ConfdirDirectory : public test::ConfdirTest {
protected:
    std::string read_error() const {
        const auto before = snapshot();
        const auto read = directory().read();
        EXPECT_FALSE(read);
        EXPECT_EQ(snapshot(), before);
        return read ? "" : read.error().message;
    }
    CpuList list(const std::string& pool, const std::string& name) const {
        const DirectoryContent now = content();
        for (const CpuList* each : now.lists()) {
            if (each->pool == pool && each->name == name) return *each;
        }
        ADD_FAILURE() << "no list " << name << " in " << pool;
        return {};
    }
};

TEST_F(ConfdirDirectory, IsReadInTheOriginalsOrder) {
    put_reference_pools();
    put("pools/exclusive/10/8/tasks", "");
    put("pools/exclusive/2/9/tasks", "12, 13\n");
    const DirectoryContent read = content();
    ASSERT_EQ(read.pools.size(), 3U);
    EXPECT_EQ(read.path, path());
    EXPECT_EQ(read.pools[0].name, "exclusive");
    EXPECT_TRUE(read.pools[0].exclusive);
    EXPECT_EQ(read.pools[0].sockets, (std::vector<std::string>{"0", "10", "2"}));
    EXPECT_EQ(read.pools[0].lists[4].name, "8");
    EXPECT_EQ(read.pools[0].lists[5].tasks, (std::vector<Task>{{.pid = 12}, {.pid = 13}}));
    EXPECT_EQ(read.pools[1].name, "infra");
    EXPECT_FALSE(read.pools[1].exclusive);
    EXPECT_EQ(read.pools[1].lists[0].cpus, (std::vector<unsigned>{0, 1, 2, 8, 9, 10}));
    EXPECT_EQ(read.pools[2].lists[0].tasks.size(), 4U);
}

TEST_F(ConfdirDirectory, IsExclusiveByTheFirstByte) {
    for (const auto& [text, exclusive] : std::vector<std::pair<std::string, bool>>{{"1", true},
                                                                                   {"1\n", true},
                                                                                   {"10", true},
                                                                                   {"0", false},
                                                                                   {"true", false},
                                                                                   {"", false}}) {
        put("pools/p/exclusive", text);
        EXPECT_EQ(content().pools.at(0).exclusive, exclusive) << text;
    }
}

TEST_F(ConfdirDirectory, IgnoresFilesThatAreNotItsOwn) {
    put_minimal_pools();
    const DirectoryContent before = content();
    put("README", "x");
    put("pools/notes", "x");
    put("pools/exclusive/notes", "x");
    put("pools/exclusive/0/notes", "x");
    put("pools/exclusive/0/0/notes", "x");
    put("pools/exclusive/0/0/.tasks.new", "999");
    put("pools/exclusive/0/0/starts", "junk");
    EXPECT_EQ(content(), before);
}

TEST_F(ConfdirDirectory, OfTheFormWithoutSocketsHasNoLists) {
    put("pools/exclusive/exclusive", "1");
    put("pools/exclusive/0,8/tasks", "12");
    EXPECT_TRUE(content().pools.at(0).lists.empty());
}

TEST_F(ConfdirDirectory, ThatIsIncompleteIsAnErrorWithThePath) {
    EXPECT_NE(read_error().find(path() + "/pools"), std::string::npos);
    put_minimal_pools();
    fs::remove(path() + "/pools/shared/exclusive");
    EXPECT_NE(read_error().find(path() + "/pools/shared/exclusive"), std::string::npos);
    put("pools/shared/exclusive", "0");
    fs::remove(path() + "/pools/shared/0/0/tasks");
    EXPECT_NE(read_error().find(path() + "/pools/shared/0/0/tasks"), std::string::npos);
    fs::create_directory(path() + "/pools/shared/0/0/tasks");
    EXPECT_NE(read_error().find("no regular file"), std::string::npos);
}

TEST_F(ConfdirDirectory, WithJunkIsAnErrorWithThePath) {
    put_minimal_pools();
    put("pools/shared/0/0/tasks", "12,x");
    EXPECT_EQ(read_error(), path() +
                                "/pools/shared/0/0/tasks: \"x\" is no process id; expected ids "
                                "such as 12,13");
    put("pools/shared/0/0/tasks", "\n");
    EXPECT_NE(read_error().find("/pools/shared/0/0/tasks"), std::string::npos);
    put("pools/shared/0/0/tasks", "");
    put("pools/shared/0/old/tasks", "");
    EXPECT_NE(read_error().find(path() + "/pools/shared/0/old: "), std::string::npos);
}

TEST_F(ConfdirDirectory, FindsTheTasksThatItWrote) {
    put_minimal_pools();
    const std::vector<Task> tasks{{.pid = 5, .start_time = 77}, {.pid = 6}};
    ASSERT_TRUE(directory().write_tasks(list("shared", "0"), tasks));
    EXPECT_EQ(get("pools/shared/0/0/tasks"), "5,6");
    EXPECT_EQ(list("shared", "0").tasks, tasks);
    ASSERT_TRUE(directory().write_tasks(list("shared", "0"), {}));
    EXPECT_EQ(get("pools/shared/0/0/tasks"), "");
    EXPECT_FALSE(exists("pools/shared/0/0/starts"));
    EXPECT_FALSE(exists("pools/shared/0/0/.tasks.new"));
}

TEST_F(ConfdirDirectory, KeepsTheModeOfATasksFile) {
    put_minimal_pools();
    const std::string file = path() + "/pools/shared/0/0/tasks";
    ASSERT_EQ(::chmod(file.c_str(), 0640), 0);
    ASSERT_TRUE(directory().write_tasks(list("shared", "0"), {{.pid = 5}}));
    struct stat info {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0640U);
}

/// The original truncates and writes in place. An id that it records is another process than the
/// one of the same id that we had recorded.
TEST_F(ConfdirDirectory, ForgetsStartTimesWhenTheOriginalHasWritten) {
    put_minimal_pools();
    ASSERT_TRUE(directory().write_tasks(list("shared", "0"), {{.pid = 5, .start_time = 77}}));
    struct stat info {};
    const std::string file = path() + "/pools/shared/0/0/tasks";
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    put("pools/shared/0/0/tasks", "5");
    timespec times[2] = {info.st_atim, info.st_mtim};
    times[1].tv_sec += 1;
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
    EXPECT_EQ(list("shared", "0").tasks, (std::vector<Task>{{.pid = 5}}));
}

TEST_F(ConfdirDirectory, LeavesTheOldTasksWhereItCannotWrite) {
    put_minimal_pools();
    put("pools/shared/0/0/tasks", "12");
    const auto before = snapshot();
    for (int step = 0;; ++step) {
        int left = step;
        const ConfDir failing(path(), kDefaultLockTimeout, Changes([&](const std::string&) {
                                  return left-- == 0 ? ENOSPC : 0;
                              }));
        const Status written =
            failing.write_tasks(list("shared", "0"), {{.pid = 13, .start_time = 1}});
        if (written) {
            EXPECT_GE(step, 5);
            break;
        }
        EXPECT_EQ(written.error().sys_errno, ENOSPC);
        EXPECT_NE(written.error().message.find(path()), std::string::npos);
        auto after = snapshot();
        after.erase("cmk/pools/shared/0/0/starts");  // counts for no tasks file
        EXPECT_EQ(after, before) << step;
        EXPECT_EQ(list("shared", "0").tasks, std::vector<Task>{{.pid = 12}});
    }
    EXPECT_EQ(get("pools/shared/0/0/tasks"), "13");
}

TEST_F(ConfdirDirectory, SaysWhereALockIsMissing) {
    put_minimal_pools();
    fs::remove(path() + "/lock");
    const auto lock = directory().lock();
    ASSERT_FALSE(lock);
    EXPECT_NE(lock.error().message.find("cannot open " + path() + "/lock"), std::string::npos);
    EXPECT_FALSE(exists("lock"));
}

}  // namespace
}  // namespace cmk
