// SPDX-License-Identifier: Apache-2.0
// Claiming and giving back lists, also by many at once and by those that are killed at it.
#include "confdir/claims.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "confdir/reconcile.h"
#include "confdir/removal.h"
#include "support/confdirs.h"

namespace cmk {
namespace {

using Pids = std::vector<int>;

class ConfdirClaims : public test::ConfdirTest {
protected:
    static ProcFs procfs(const std::string& root) {
        auto opened = ProcFs::open(root);
        EXPECT_TRUE(opened) << opened.error().message;
        return *std::move(opened);
    }
    Claim claim(const ListRequest& request, const Task& task) const {
        auto claimed = claim_lists(directory(), request, task);
        EXPECT_TRUE(claimed) << claimed.error().message;
        return claimed ? *std::move(claimed) : Claim{};
    }
    static int wait_for(pid_t child) {
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        return status;
    }
};

TEST_F(ConfdirClaims, RecordTheProcessInEachList) {
    put_pool("exclusive", true, {"0,8:99", "1,9", "10,18", "2,10"});
    const Claim mine = claim({.pool = "exclusive", .count = 2}, {.pid = 7, .start_time = 5});
    ASSERT_EQ(mine.lists.size(), 2U);
    EXPECT_EQ(mine.lists[0].name, "1,9");
    EXPECT_EQ(mine.lists[1].name, "2,10");
    EXPECT_EQ(get("pools/exclusive/0/1,9/tasks"), "7");
    EXPECT_EQ(get("pools/exclusive/0/2,10/tasks"), "7");
    EXPECT_EQ(get("pools/exclusive/0/10,18/tasks"), "");
    ASSERT_TRUE(release_lists(directory(), mine.lists, {.pid = 7, .start_time = 5}));
    EXPECT_EQ(get("pools/exclusive/0/1,9/tasks"), "");
    EXPECT_EQ(get("pools/exclusive/0/2,10/tasks"), "");
    EXPECT_EQ(get("pools/exclusive/0/0,8/tasks"), "99");
}

TEST_F(ConfdirClaims, AddAndRemoveTasksInOrder) {
    put_pool("shared", false, {"0"});
    const Claim first = claim({.pool = "shared"}, {.pid = 5});
    claim({.pool = "shared"}, {.pid = 6});
    EXPECT_EQ(pids_of("shared", "0"), (Pids{5, 6}));
    ASSERT_TRUE(release_lists(directory(), first.lists, {.pid = 5}));
    EXPECT_EQ(pids_of("shared", "0"), Pids{6});
    ASSERT_TRUE(release_lists(directory(), first.lists, {.pid = 5})) << "again is no error";
    EXPECT_EQ(pids_of("shared", "0"), Pids{6});
}

TEST_F(ConfdirClaims, GiveBackOneEntryOfTheSameProcessOnly) {
    put_pool("shared", false, {"0"});
    const Claim one = claim({.pool = "shared"}, {.pid = 5, .start_time = 1});
    claim({.pool = "shared"}, {.pid = 5, .start_time = 1});
    ASSERT_TRUE(release_lists(directory(), one.lists, {.pid = 5, .start_time = 2}));
    EXPECT_EQ(pids_of("shared", "0"), (Pids{5, 5})) << "that was another process";
    ASSERT_TRUE(release_lists(directory(), one.lists, {.pid = 5, .start_time = 1}));
    EXPECT_EQ(pids_of("shared", "0"), Pids{5});
}

TEST_F(ConfdirClaims, TakeNothingWhereTheyAreRefused) {
    put_pool("exclusive", true, {"0", "1"});
    const auto before = snapshot();
    const auto refused = claim_lists(directory(), {.pool = "exclusive", .count = 3}, {.pid = 7});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::not_enough_cpus);
    EXPECT_EQ(snapshot(), before);
}

TEST_F(ConfdirClaims, TakeNothingWhereAWriteFails) {
    put_pool("exclusive", true, {"0", "1"});
    const auto before = snapshot();
    for (int step = 0;; ++step) {
        int left = step;
        const ConfDir failing(path(), kDefaultLockTimeout,
                              Changes([&](const std::string&) { return left-- == 0 ? EIO : 0; }));
        const auto claimed =
            claim_lists(failing, {.pool = "exclusive", .count = 2}, {.pid = 7, .start_time = 5});
        if (claimed) break;
        EXPECT_EQ(claimed.error().sys_errno, EIO);
        auto after = snapshot();
        std::erase_if(after, [](const auto& file) { return file.first.ends_with("/starts"); });
        ASSERT_EQ(after, before) << step;
    }
    EXPECT_EQ(pids_of("exclusive", "1"), Pids{7});
}

TEST_F(ConfdirClaims, SeeTheDirectoryForTheEnvironment) {
    put_minimal_pools();
    put_pool("infra", false, {"1"});
    EXPECT_NE(claim({.pool = "exclusive"}, {.pid = 7}).content.find("infra"), nullptr);
}

/// Each process tries to become the one owner, says which list it got and ends with it.
TEST_F(ConfdirClaims, OfManyProcessesGiveNoListTwice) {
    put_pool("exclusive", true, {"0", "1", "2", "3", "4", "5"});
    int start[2];
    ASSERT_EQ(::pipe2(start, O_CLOEXEC), 0);
    std::vector<pid_t> children;
    for (int i = 0; i < 50; ++i) {
        children.push_back(::fork());
        if (children.back() != 0) continue;
        ::close(start[1]);
        char byte = 0;
        (void)!::read(start[0], &byte, 1);
        const auto got =
            claim_lists(directory(), {.pool = "exclusive"}, {.pid = ::getpid(), .start_time = 1});
        if (got) ::_exit(static_cast<int>(got->lists[0].cpus[0]));
        ::_exit(got.error().code == Errc::not_enough_cpus ? 100 : 101);
    }
    ::close(start[0]);
    ::close(start[1]);
    std::multiset<int> results;
    std::map<int, int> owner;
    for (const pid_t child : children) {
        const int result = WEXITSTATUS(wait_for(child));
        results.insert(result);
        if (result < 6) owner[result] = child;
    }
    EXPECT_EQ(results.count(100), 44U);
    for (int cpu = 0; cpu < 6; ++cpu) {
        EXPECT_EQ(results.count(cpu), 1U) << cpu;
        EXPECT_EQ(pids_of("exclusive", std::to_string(cpu)), Pids{owner[cpu]});
    }
}

/// Processes that take a list, look for company and give it back, over and over.
TEST_F(ConfdirClaims, OfManyProcessesNeverHaveCompany) {
    put_pool("exclusive", true, {"0", "1", "2", "3", "4", "5"});
    std::vector<pid_t> children;
    for (int i = 0; i < 50; ++i) {
        children.push_back(::fork());
        if (children.back() != 0) continue;
        const Task self{.pid = ::getpid(), .start_time = 1};
        for (int round = 0; round < 10; ++round) {
            const auto got = claim_lists(directory(), {.pool = "exclusive"}, self);
            if (!got && got.error().code == Errc::not_enough_cpus) continue;
            if (!got) ::_exit(1);
            if (pids_of("exclusive", got->lists[0].name) != Pids{self.pid}) ::_exit(2);
            if (!release_lists(directory(), got->lists, self)) ::_exit(3);
        }
        ::_exit(HasFailure() ? 4 : 0);
    }
    for (const pid_t child : children)
        EXPECT_EQ(wait_for(child), 0);
    const DirectoryContent after = content();
    for (const CpuList* list : after.lists())
        EXPECT_TRUE(list->tasks.empty()) << list->name;
}

/// What the original does: the first free list in text order, `tasks` truncated and written in
/// place, under the same lock.
int claim_as_original(const std::string& path, const std::string& pid) {
    const UniqueFd lock(::open((path + "/lock").c_str(), O_RDWR | O_CLOEXEC));
    if (::flock(lock.get(), LOCK_EX) < 0) return 101;
    std::set<std::filesystem::path> lists;
    for (const auto& list : std::filesystem::directory_iterator(path + "/pools/exclusive/0"))
        lists.insert(list.path());
    for (const std::filesystem::path& list : lists) {
        std::string tasks;
        std::getline(std::ifstream(list / "tasks"), tasks);
        if (!tasks.empty()) continue;
        std::ofstream(list / "tasks", std::ios::trunc) << pid << std::flush;
        return std::stoi(list.filename().string());
    }
    return 100;
}

TEST_F(ConfdirClaims, OfBothKindsOfProgramGiveNoListTwice) {
    put_pool("exclusive", true, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"});
    std::vector<pid_t> children;
    for (int i = 0; i < 30; ++i) {
        children.push_back(::fork());
        if (children.back() != 0) continue;
        if (i % 2 == 0) ::_exit(claim_as_original(path(), std::to_string(::getpid())));
        const auto got =
            claim_lists(directory(), {.pool = "exclusive"}, {.pid = ::getpid(), .start_time = 1});
        ::_exit(got ? static_cast<int>(got->lists[0].cpus[0]) : 100);
    }
    std::map<int, Pids> owners;
    for (const pid_t child : children)
        owners[WEXITSTATUS(wait_for(child))].push_back(child);
    EXPECT_EQ(owners[100].size(), 18U);
    for (int cpu = 0; cpu < 12; ++cpu)
        EXPECT_EQ(pids_of("exclusive", std::to_string(cpu)), owners[cpu]) << cpu;
}

/// A process is killed at each of its changes in turn. Others' records stay, its own are whole.
TEST_F(ConfdirClaims, OfAKilledProcessAreWholeOrNotThere) {
    put_pool("exclusive", true, {"0:11", "1", "2", "3"});
    put_pool("shared", false, {"4:12,13"});
    bool completed = false;
    for (int step = 0; !completed; ++step) {
        ASSERT_LT(step, 1000);
        const pid_t child = ::fork();
        if (child == 0) {
            int left = step;
            const ConfDir deadly(path(), kDefaultLockTimeout, Changes([&](const std::string&) {
                                     if (left-- == 0) ::kill(::getpid(), SIGKILL);
                                     return 0;
                                 }));
            const Task self{.pid = ::getpid(), .start_time = 1};
            const auto own = claim_lists(deadly, {.pool = "exclusive", .count = 2}, self);
            const auto shared = claim_lists(deadly, {.pool = "shared"}, self);
            if (!own || !shared) ::_exit(1);
            if (!release_lists(deadly, shared->lists, self)) ::_exit(2);
            if (!release_lists(deadly, own->lists, self)) ::_exit(3);
            ::_exit(0);
        }
        const int status = wait_for(child);
        completed = WIFEXITED(status);
        if (completed) {
            EXPECT_EQ(WEXITSTATUS(status), 0);
        }
        EXPECT_EQ(pids_of("exclusive", "0"), Pids{11}) << step;
        for (const char* list : {"1", "2"}) {
            const Pids pids = pids_of("exclusive", list);
            EXPECT_TRUE(pids.empty() || pids == Pids{child}) << step;
        }
        EXPECT_EQ(pids_of("exclusive", "3"), Pids{});
        const Pids shared = pids_of("shared", "4");
        EXPECT_TRUE(shared == (Pids{12, 13}) || shared == (Pids{12, 13, child})) << step;
        // The survivors are as good as ever.
        put_procfs({11, 12, 13}, 0);
        const auto reclaimed = reconcile(directory(), procfs(parent_ + "/proc"));
        ASSERT_TRUE(reclaimed) << reclaimed.error().message;
        for (const ReclaimedTask& task : *reclaimed)
            EXPECT_EQ(task.pid, child);
        EXPECT_EQ(pids_of("exclusive", "1"), Pids{});
        EXPECT_EQ(pids_of("exclusive", "2"), Pids{});
        EXPECT_EQ(pids_of("shared", "4"), (Pids{12, 13}));
    }
}

class ConfdirReconcile : public ConfdirClaims {};

TEST_F(ConfdirReconcile, ReclaimsWhatHasEndedByProcessId) {
    put_reference_pools();
    put("pools/exclusive/0/5,13/tasks", "2001,1");
    put("pools/exclusive/0/6,14/tasks", "2002,1789101112");
    put("pools/shared/0/3,11/tasks", "1000,1001,1002,1003,1234561231");
    const auto reclaimed = reconcile(directory(), procfs(put_procfs({1})));
    ASSERT_TRUE(reclaimed) << reclaimed.error().message;
    Pids pids;
    for (const ReclaimedTask& task : *reclaimed)
        pids.push_back(task.pid);
    EXPECT_EQ(pids, (Pids{1000, 1001, 1002, 1003, 2000, 2001, 2002, 2003, 3000, 3001, 3002,
                          1234561231, 1789101112}));
    EXPECT_EQ((*reclaimed)[8], (ReclaimedTask{.pid = 3000, .pool = "infra", .cpus = "0-2,8-10"}));
    const DirectoryContent after = content();
    for (const CpuList* list : after.lists())
        EXPECT_EQ(list->tasks.size(), list->name == "5,13" ? 1U : 0U) << list->name;
    EXPECT_EQ(get("pools/exclusive/0/5,13/tasks"), "1");
}

TEST_F(ConfdirReconcile, ChangesNothingWhereAllLive) {
    put_reference_pools();
    const std::string root =
        put_procfs({1000, 1001, 1002, 1003, 2000, 2001, 2002, 2003, 3000, 3001, 3002});
    const auto before = snapshot();
    EXPECT_TRUE(reconcile(directory(), procfs(root)).value().empty());
    EXPECT_EQ(snapshot(), before);
}

TEST_F(ConfdirReconcile, IsNotDeceivedByAnIdThatCameAgain) {
    put_pool("exclusive", true, {"0", "1"});
    claim({.pool = "exclusive"}, {.pid = 7, .start_time = 5});
    claim({.pool = "exclusive"}, {.pid = 8, .start_time = 5});
    const std::string root = put_procfs({7, 8}, 5);
    EXPECT_TRUE(reconcile(directory(), procfs(root)).value().empty());
    put_process(7, 6);
    EXPECT_EQ(reconcile(directory(), procfs(root)).value(),
              (std::vector<ReclaimedTask>{{.pid = 7, .pool = "exclusive", .cpus = "0"}}));
    EXPECT_EQ(pids_of("exclusive", "1"), Pids{8});
}

TEST_F(ConfdirReconcile, JudgesTheOriginalsEntriesByExistence) {
    put_pool("exclusive", true, {"0:7"});
    EXPECT_TRUE(reconcile(directory(), procfs(put_procfs({7}, 99))).value().empty());
    EXPECT_EQ(pids_of("exclusive", "0"), Pids{7});
}

TEST_F(ConfdirReconcile, RefusesAProcfsThatIsNone) {
    std::filesystem::create_directories(parent_ + "/proc/self");
    const auto opened = ProcFs::open(parent_ + "/proc");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::unavailable);
    EXPECT_NE(opened.error().message.find("CMK_PROC_FS"), std::string::npos);
    EXPECT_FALSE(ProcFs::open(parent_ + "/missing"));
}

TEST_F(ConfdirReconcile, OwnIdIsThatOfTheGivenProcfs) {
    put_process(1, 5);
    std::filesystem::create_directories(parent_ + "/proc/self");
    std::ofstream(parent_ + "/proc/self/stat") << "1234 (fake) R 1";
    EXPECT_EQ(procfs(parent_ + "/proc").self().value(), (Task{.pid = 1234}));
    EXPECT_EQ(procfs(parent_ + "/proc").find(1).value(), (Task{.pid = 1, .start_time = 5}));
    const auto real = procfs("/proc").self();
    ASSERT_TRUE(real) << real.error().message;
    EXPECT_EQ(real->pid, ::getpid());
    EXPECT_TRUE(real->start_time);
}

class ConfdirRemoval : public ConfdirClaims {};

TEST_F(ConfdirRemoval, TakesPoolsAndLockAndKeepsTheDirectory) {
    put_reference_pools();
    put("mine", "x");
    const auto removed = remove_pools(directory(), procfs(put_procfs({1})));
    ASSERT_TRUE(removed) << removed.error().message;
    EXPECT_EQ(removed->size(), 11U);
    EXPECT_FALSE(exists("pools"));
    EXPECT_FALSE(exists("lock"));
    EXPECT_FALSE(exists(".cmk-removed"));
    EXPECT_EQ(get("mine"), "x");
    EXPECT_TRUE(remove_pools(directory(), procfs(parent_ + "/proc")).value().empty());
    std::filesystem::remove_all(path());
    EXPECT_TRUE(remove_pools(directory(), procfs(parent_ + "/proc")).value().empty());
}

TEST_F(ConfdirRemoval, IsRefusedWhileTasksLive) {
    put_pool("exclusive", true, {"0", "1"});
    put_pool("gold", false, {"2:8"});
    const auto before = snapshot();
    const std::string root = put_procfs({8});
    const auto refused = remove_pools(directory(), procfs(root));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::conflict);
    EXPECT_NE(refused.error().message.find("There are running tasks"), std::string::npos);
    EXPECT_NE(refused.error().message.find("8 in gold 2"), std::string::npos);
    std::filesystem::remove_all(root);
    EXPECT_EQ(snapshot(), before);
}

TEST_F(ConfdirRemoval, CanBeRepeatedAfterAFailure) {
    put_minimal_pools();
    const std::string root = put_procfs({1});
    for (int step = 0;; ++step) {
        ASSERT_LT(step, 100);
        int left = step;
        const ConfDir failing(path(), kDefaultLockTimeout,
                              Changes([&](const std::string&) { return left-- == 0 ? EIO : 0; }));
        if (remove_pools(failing, procfs(root))) break;
        EXPECT_TRUE(exists("lock")) << "it goes last";
    }
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path()), {}), 0);
}

}  // namespace
}  // namespace cmk
