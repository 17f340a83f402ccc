// SPDX-License-Identifier: Apache-2.0
#include "confdir/init.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "confdir/init_plan.h"
#include "support/confdirs.h"
#include "support/skip.h"
#include "support/topologies.h"

namespace cmk {
namespace {

namespace fs = std::filesystem;

class ConfdirInit : public test::ConfdirTest {
protected:
    /// 8 cores with siblings n and n+8.
    Topology topology_ = test::make_uniform(1, 1, 1, 8, 2);

    std::vector<PoolLayout> layout(const InitRequest& request) const {
        const auto plan = plan_init(topology_, lscpu_core_ids(topology_), {}, request);
        EXPECT_TRUE(plan) << plan.error().message;
        return plan ? make_layout(*plan, topology_) : std::vector<PoolLayout>{};
    }
    Result<InitOutcome> init(unsigned exclusive, unsigned shared) const {
        return init(exclusive, shared, directory());
    }
    Result<InitOutcome> init(unsigned exclusive, unsigned shared, const ConfDir& where) const {
        const InitRequest request{.exclusive_cores = exclusive, .shared_cores = shared};
        return init_directory(where, layout(request), topology_, {exclusive, shared});
    }
    void expect_created(const Result<InitOutcome>& outcome) const {
        ASSERT_TRUE(outcome) << outcome.error().message;
        EXPECT_EQ(*outcome, InitOutcome::created);
        EXPECT_EQ(tree()["exclusive"]["0"], (std::set<std::string>{"0,8", "1,9"}));
        EXPECT_EQ(tree()["shared"]["0"], std::set<std::string>{"2,10,3,11"});
    }
    void expect_existed(const Result<InitOutcome>& outcome) const {
        ASSERT_TRUE(outcome) << outcome.error().message;
        EXPECT_EQ(*outcome, InitOutcome::existed);
    }
    std::string error_of(const Result<InitOutcome>& outcome) const {
        EXPECT_FALSE(outcome);
        return outcome ? "" : outcome.error().message;
    }
    /// Runs init again and again, each time failing one step later, until it succeeds.
    void fail_at_every_step() const {
        const auto before = snapshot();
        for (int step = 0; step < 1000; ++step) {
            int left = step;
            const ConfDir failing(path(), kDefaultLockTimeout, Changes([&](const std::string&) {
                                      return left-- == 0 ? ENOSPC : 0;
                                  }));
            const auto outcome = init(2, 2, failing);
            if (outcome) return expect_created(outcome);
            EXPECT_EQ(outcome.error().sys_errno, ENOSPC) << outcome.error().message;
            EXPECT_NE(outcome.error().message.find("cmk"), std::string::npos);
            ASSERT_EQ(snapshot(), before) << "after a failure of step " << step;
        }
        FAIL() << "it never succeeds";
    }
};

TEST_F(ConfdirInit, MakesADirectoryWithItsParents) {
    const ConfDir deep(path() + "/a/b");
    ASSERT_TRUE(init(2, 2, deep));
    EXPECT_TRUE(exists("a/b/pools/exclusive/0/0,8/tasks"));
    EXPECT_TRUE(exists("a/b/lock"));
}

TEST_F(ConfdirInit, TheModesAreTheUsualOnes) {
    ASSERT_TRUE(init(2, 2));
    fs::create_directory(parent_ + "/usual");
    EXPECT_EQ(fs::status(path()).permissions(), fs::status(parent_ + "/usual").permissions());
    EXPECT_EQ(fs::status(path() + "/pools/exclusive/0").permissions(),
              fs::status(parent_ + "/usual").permissions());
}

TEST_F(ConfdirInit, TheSameAgainChangesNothing) {
    expect_created(init(2, 2));
    const auto before = snapshot();
    expect_existed(init(2, 2));
    EXPECT_EQ(snapshot(), before);
    EXPECT_TRUE(has_pools(directory()).value());
    EXPECT_TRUE(check_existing(directory(), topology_, {2, 2}));
}

TEST_F(ConfdirInit, AnotherRequestIsRefusedWithTheCounts) {
    put_reference_pools();
    const auto before = snapshot();
    EXPECT_EQ(error_of(init(1, 1)), "4 exclusive cores (1 requested)");
    EXPECT_EQ(error_of(init(4, 2)), "1 shared cores (2 requested)");
    EXPECT_EQ(error_of(init(2, 3)),
              "4 exclusive cores (2 requested)\n1 shared cores (3 requested)");
    EXPECT_EQ(snapshot(), before);
    expect_existed(init(4, 1));
}

TEST_F(ConfdirInit, TheDefaultsOverASmallerDirectoryAreRefused) {
    put_minimal_pools();
    EXPECT_EQ(error_of(init(4, 1)), "1 exclusive cores (4 requested)");
}

TEST_F(ConfdirInit, SharedCoresAreCountedInWhateverListsTheyAre) {
    put_pool("exclusive", true, {});
    put_pool("shared", false, {"2,10,3,11", "4-5,12-13"});
    expect_existed(init(0, 4));
    EXPECT_EQ(error_of(init(0, 2)), "4 shared cores (2 requested)");
}

TEST_F(ConfdirInit, FillsADirectoryThatIsEmpty) {
    fs::create_directory(path());
    const UniqueFd open(::open(path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    expect_created(init(2, 2));
    EXPECT_EQ(::faccessat(open.get(), "pools/exclusive", F_OK, 0), 0) << "it is another directory";
}

/// The rest of the process's life is spent with a file system of its own at the path.
bool mount_volume(const std::string& path) {
    const std::string uid = std::to_string(::geteuid()), gid = std::to_string(::getegid());
    const bool is_root = ::geteuid() == 0;
    if (::unshare(is_root ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) < 0) return false;
    if (!is_root) {
        std::ofstream("/proc/self/setgroups") << "deny";
        std::ofstream("/proc/self/uid_map") << "0 " + uid + " 1";
        std::ofstream("/proc/self/gid_map") << "0 " + gid + " 1";
    }
    return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("volume", path.c_str(), "tmpfs", 0, nullptr) == 0;
}

TEST_F(ConfdirInit, FillsAMountedVolumeAndSaysWhereOneIsReadOnly) {
    constexpr int kNoMounts = 100;
    fs::create_directory(path());
    const pid_t child = ::fork();
    if (child == 0) {
        if (!mount_volume(path())) ::_exit(kNoMounts);
        expect_created(init(2, 2));
        if (::mount("volume", path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) < 0) {
            ::_exit(kNoMounts);
        }
        EXPECT_NE(error_of(init(2, 2)).find(path() + "/lock: Read-only"), std::string::npos);
        ::_exit(HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) == kNoMounts) CMK_SKIP("root", "may not mount");
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(exists("lock"));
}

TEST_F(ConfdirInit, CompletesWhatAFailedInitHasLeft) {
    put("lock", "");
    fs::create_directory(path() + "/pools");
    expect_created(init(2, 2));
    EXPECT_EQ(get("lock"), "");
}

TEST_F(ConfdirInit, CompletesWhatAKilledInitHasLeft) {
    put("lock", "");
    put(".cmk-init-pools/exclusive/0/7,15/tasks", "");
    expect_created(init(2, 2));
    EXPECT_FALSE(exists(".cmk-init-pools"));
}

TEST_F(ConfdirInit, DoesNotTouchWhatIsHalfBuilt) {
    put_pool("exclusive", true, {"0,8", "1,9"});
    auto before = snapshot();
    EXPECT_NE(error_of(init(2, 2)).find("has no pool shared"), std::string::npos);
    EXPECT_EQ(snapshot(), before);
    put_pool("shared", false, {"2,10,3,11"});
    put_pool("infra", false, {});
    before = snapshot();
    EXPECT_NE(error_of(init(2, 2)).find("half-built"), std::string::npos);
    EXPECT_EQ(snapshot(), before);
}

TEST_F(ConfdirInit, DoesNotTouchOtherDirectories) {
    put("agent.toml", "x");
    auto before = snapshot();
    EXPECT_NE(error_of(init(2, 2)).find("has \"agent.toml\" but no pools"), std::string::npos);
    EXPECT_EQ(snapshot(), before);
    fs::remove_all(path());
    std::ofstream(path()) << "a file";
    before = snapshot();
    EXPECT_NE(error_of(init(2, 2)).find(path()), std::string::npos);
    EXPECT_EQ(snapshot(), before);
}

TEST_F(ConfdirInit, DoesNotMakeALockForPoolsWithoutOne) {
    put_minimal_pools();
    fs::remove(path() + "/lock");
    EXPECT_NE(error_of(init(1, 1)).find(path() + "/lock"), std::string::npos);
    EXPECT_FALSE(exists("lock"));
}

TEST_F(ConfdirInit, RefusesALayoutWithAPoolOrAListTwice) {
    const PoolLayout pool{.name = "gold", .exclusive = true, .sockets = {{0, {"0", "1"}}}};
    const PoolLayout list{.name = "tin", .exclusive = true, .sockets = {{0, {"2", "2"}}}};
    for (const auto& layout : {std::vector{pool, pool}, std::vector{pool, list}}) {
        const auto made = init_directory(directory(), layout, topology_, {});
        EXPECT_NE(error_of(made).find("File exists"), std::string::npos);
        EXPECT_TRUE(snapshot().empty());
    }
}

TEST_F(ConfdirInit, LeavesNothingOfItsParentsWhereItFails) {
    for (int step = 0; step < 4; ++step) {
        int left = step;
        const ConfDir failing(
            path() + "/a/b", kDefaultLockTimeout,
            Changes([&](const std::string&) { return left-- == 0 ? EACCES : 0; }));
        EXPECT_NE(error_of(init(2, 2, failing)), "");
        EXPECT_TRUE(snapshot().empty()) << step;
    }
}

TEST_F(ConfdirInit, LeavesNothingWhereItFails) {
    fail_at_every_step();
}

TEST_F(ConfdirInit, LeavesAnEmptyDirectoryEmptyWhereItFails) {
    fs::create_directory(path());
    fail_at_every_step();
}

TEST_F(ConfdirInit, LeavesAnUnfinishedDirectoryAsItWasWhereItFails) {
    put("lock", "");
    fs::create_directory(path() + "/pools");
    fail_at_every_step();
}

/// Two processes that start when the pipe is closed, each with its outcome as exit status.
class ConfdirInits : public ConfdirInit {
protected:
    void race() {
        int start[2];
        ASSERT_EQ(::pipe2(start, O_CLOEXEC), 0);
        std::vector<pid_t> children;
        for (int i = 0; i < 4; ++i) {
            children.push_back(::fork());
            if (children.back() != 0) continue;
            ::close(start[1]);
            char byte = 0;
            (void)!::read(start[0], &byte, 1);
            const auto outcome = init(2, 2);
            ::_exit(!outcome ? 9 : *outcome == InitOutcome::created ? 1 : 2);
        }
        ::close(start[0]);
        ::close(start[1]);
        std::multiset<int> results;
        for (const pid_t child : children) {
            int status = 0;
            ::waitpid(child, &status, 0);
            results.insert(WEXITSTATUS(status));
        }
        EXPECT_EQ(results, (std::multiset<int>{1, 2, 2, 2}));
        expect_existed(init(2, 2));
        EXPECT_EQ(std::distance(fs::directory_iterator(parent_), {}), 1) << "something is left";
    }
};

TEST_F(ConfdirInits, OneOfSeveralMakesTheDirectory) {
    for (int round = 0; round < 8; ++round) {
        race();
        fs::remove_all(path());
    }
}

TEST_F(ConfdirInits, OneOfSeveralFillsTheDirectory) {
    for (int round = 0; round < 8; ++round) {
        fs::create_directory(path());
        race();
        fs::remove_all(path());
    }
}

}  // namespace
}  // namespace cmk
