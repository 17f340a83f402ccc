// SPDX-License-Identifier: Apache-2.0
#include "confdir/lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "support/confdirs.h"
#include "support/skip.h"

namespace cmk {
namespace {

using namespace std::chrono_literals;

/// A process that holds the lock until it is told to end.
class Holder {
public:
    explicit Holder(const std::string& lock) {
        int ready[2], end[2];
        EXPECT_EQ(::pipe2(ready, O_CLOEXEC), 0);
        EXPECT_EQ(::pipe2(end, O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(end[1]);
            const int file = ::open(lock.c_str(), O_RDWR);
            char byte = ::flock(file, LOCK_EX) == 0 ? 'y' : 'n';
            if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
            (void)!::read(end[0], &byte, 1);
            ::_exit(0);
        }
        ready_.reset(ready[0]);
        ::close(ready[1]);
        ::close(end[0]);
        end_.reset(end[1]);
        char byte = 0;
        EXPECT_EQ(::read(ready_.get(), &byte, 1), 1);
        EXPECT_EQ(byte, 'y');
    }
    ~Holder() { end(); }
    void end() {
        end_.reset();
        if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    pid_t pid() const { return pid_; }

private:
    pid_t pid_ = 0;
    UniqueFd ready_, end_;
};

class ConfdirLock : public test::ConfdirTest {
protected:
    ConfdirLock() { put("lock", ""); }
    std::string lock_file() const { return path() + "/lock"; }
    bool is_free() const {
        const UniqueFd file(::open(lock_file().c_str(), O_RDWR | O_CLOEXEC));
        return ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
    }
};

TEST_F(ConfdirLock, ExcludesOthersWhileItLives) {
    {
        const auto lock = DirectoryLock::acquire(path(), 0ms);
        ASSERT_TRUE(lock) << lock.error().message;
        EXPECT_FALSE(is_free());
        EXPECT_FALSE(DirectoryLock::acquire(path(), 0ms));
    }
    EXPECT_TRUE(is_free());
}

TEST_F(ConfdirLock, WaitsNoLongerThanItIsTold) {
    const Holder holder(lock_file());
    for (const auto timeout : {0ms, 20ms}) {
        const auto before = std::chrono::steady_clock::now();
        const auto lock = DirectoryLock::acquire(path(), timeout);
        EXPECT_GE(std::chrono::steady_clock::now() - before, timeout);
        ASSERT_FALSE(lock);
        EXPECT_EQ(lock.error().code, Errc::timed_out);
        EXPECT_NE(lock.error().message.find("CMK_LOCK_TIMEOUT"), std::string::npos);
        EXPECT_NE(lock.error().message.find(lock_file()), std::string::npos);
    }
}

TEST_F(ConfdirLock, NamesTheProcessThatHoldsIt) {
    const Holder holder(lock_file());
    const auto lock = DirectoryLock::acquire(path(), 0ms);
    ASSERT_FALSE(lock);
    const bool told = lock.error().message.find("holds it") != std::string::npos;
    if (!told) CMK_SKIP("locks", "the kernel does not list this file's locks");
    EXPECT_NE(lock.error().message.find("process " + std::to_string(holder.pid()) + " holds it"),
              std::string::npos)
        << lock.error().message;
}

TEST_F(ConfdirLock, IsTakenWhenItsHolderEnds) {
    Holder holder(lock_file());
    std::thread ender([&] { holder.end(); });
    const auto lock = DirectoryLock::acquire(path(), 60s);
    ender.join();
    EXPECT_TRUE(lock) << lock.error().message;
}

TEST_F(ConfdirLock, LeavesSignalsAsTheyWere) {
    struct sigaction mine = {}, after = {};
    mine.sa_handler = SIG_IGN;
    ASSERT_EQ(::sigaction(SIGRTMAX, &mine, nullptr), 0);
    sigset_t blocked, mask;
    ::sigemptyset(&blocked);
    ::sigaddset(&blocked, SIGRTMAX);
    ::sigaddset(&blocked, SIGUSR1);
    ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &blocked, nullptr), 0);
    {
        const Holder holder(lock_file());
        EXPECT_FALSE(DirectoryLock::acquire(path(), 10ms));
    }
    ::sigaction(SIGRTMAX, nullptr, &after);
    EXPECT_EQ(after.sa_handler, SIG_IGN);
    ::pthread_sigmask(SIG_UNBLOCK, &blocked, &mask);
    EXPECT_EQ(::sigismember(&mask, SIGRTMAX), 1);
    EXPECT_EQ(::sigismember(&mask, SIGUSR1), 1);
    mine.sa_handler = SIG_DFL;
    ::sigaction(SIGRTMAX, &mine, nullptr);
}

TEST_F(ConfdirLock, BoundsTheWaitOfManyThreads) {
    const Holder holder(lock_file());
    std::vector<std::thread> threads;
    std::atomic<int> timed_out = 0;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&, i] {
            const auto lock = DirectoryLock::acquire(path(), std::chrono::milliseconds(5 + i));
            if (!lock && lock.error().code == Errc::timed_out) ++timed_out;
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(timed_out, 8);
}

TEST_F(ConfdirLock, IsLookedUpAgainWhenTheDirectoryWasRemovedMeanwhile) {
    Holder holder(lock_file());
    std::filesystem::remove(lock_file());
    put("lock", "");
    EXPECT_TRUE(DirectoryLock::acquire(path(), 0ms));
    std::filesystem::remove(lock_file());
    const auto lock = DirectoryLock::acquire(path(), 0ms);
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().sys_errno, ENOENT);
}

TEST(ConfdirLockTimeout, IsSecondsWithAFraction) {
    EXPECT_EQ(parse_lock_timeout(std::nullopt).value(), 30s);
    EXPECT_EQ(parse_lock_timeout("1").value(), 1s);
    EXPECT_EQ(parse_lock_timeout("5").value(), 5s);
    EXPECT_EQ(parse_lock_timeout("0.1").value(), 100ms);
    EXPECT_EQ(parse_lock_timeout("0").value(), 0ms);
    for (const char* text : {"", "x", "-1", "1s", "nan", "inf", "1e99"}) {
        const auto timeout = parse_lock_timeout(text);
        ASSERT_FALSE(timeout) << text;
        EXPECT_EQ(timeout.error().code, Errc::invalid_argument);
    }
}

}  // namespace
}  // namespace cmk
