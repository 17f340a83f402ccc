// SPDX-License-Identifier: Apache-2.0
// Real children. "cmk" is a process forked by the test that does what isolate does.
#include "cli/compat/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

namespace cmk::compat {
namespace {

struct Pipe {
    Pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
    ~Pipe() {
        close_read();
        close_write();
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    void close_read() { ::close(std::exchange(ends[0], -1)); }
    void close_write() { ::close(std::exchange(ends[1], -1)); }

    int ends[2];
};

/// A line without its end; "" at the end of the file.
std::string read_line(int fd) {
    std::string line;
    char c = 0;
    while (::read(fd, &c, 1) == 1 && c != '\n')
        line += c;
    return line;
}

ChildProgram shell(const std::string& script) {
    return {.line = {.words = {"/bin/sh", "-c", script}, .uses_shell = true},
            .path = "/bin/sh",
            .environment = {"PATH=/bin:/usr/bin", "ANSWER=42"}};
}

ChildEnd run(const ChildProgram& program) {
    const BlockedSignals signals;
    const auto child = Child::start(signals, program);
    EXPECT_TRUE(child) << child.error().message;
    if (!child) return {-1, -1};
    const auto end = child->wait(signals);
    EXPECT_TRUE(end) << end.error().message;
    return end ? *end : ChildEnd{-1, -1};
}

Error start_error(const ChildProgram& program) {
    const BlockedSignals signals;
    const auto child = Child::start(signals, program);
    EXPECT_FALSE(child);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
    return child ? Error{} : child.error();
}

/// Waits until `pid` ends, or is stopped; its exit status, -1 for one that did not exit.
int status_of(pid_t pid) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// A "cmk" running a shell script, whose standard input is a pipe that stays silent and whose
/// standard output the test reads.
class Wrapper {
public:
    explicit Wrapper(const std::string& script, bool own_group = false) {
        pid_ = ::fork();
        if (pid_ == 0) {
            if (own_group) ::setpgid(0, 0);
            ::dup2(input_.ends[0], STDIN_FILENO);
            ::dup2(output_.ends[1], STDOUT_FILENO);
            ::_exit(exit_code_of(run(shell(script))));
        }
        output_.close_write();
    }

    pid_t pid() const { return pid_; }
    std::string read() const { return read_line(output_.ends[0]); }
    void expect(const std::string& line) const { EXPECT_EQ(read(), line); }
    void send(int number) const { EXPECT_EQ(::kill(pid_, number), 0); }
    int wait() const { return status_of(pid_); }

private:
    Pipe input_;
    Pipe output_;
    pid_t pid_ = -1;
};

class CompatChild : public testing::Test {
protected:
    /// Who starts these tests may have them ignore some: a shell in the background, or nohup.
    static void SetUpTestSuite() {
        for (const int number : {SIGHUP, SIGINT, SIGQUIT})
            ::signal(number, SIG_DFL);
    }
};

TEST_F(CompatChild, GivesTheExitStatus) {
    for (const int status : {0, 1, 7, 125, 126, 127, 255})
        EXPECT_EQ(run(shell("exit " + std::to_string(status))), ChildEnd{.status = status});
}

TEST_F(CompatChild, GivesTheSignal) {
    for (const int number : {SIGTERM, SIGKILL, SIGINT, SIGHUP, SIGSEGV, SIGUSR1}) {
        const ChildEnd end = run(shell("ulimit -c 0; kill -" + std::to_string(number) + " $$"));
        EXPECT_EQ(end, ChildEnd{.signal = number});
        EXPECT_EQ(exit_code_of(end), 128 + number);
    }
}

TEST_F(CompatChild, ExitCodes) {
    EXPECT_EQ(exit_code_of(ChildEnd{.status = 0}), 0);
    EXPECT_EQ(exit_code_of(ChildEnd{.status = 77}), 77);
    EXPECT_EQ(exit_code_of(ChildEnd{.signal = SIGKILL}), 137);
}

TEST_F(CompatChild, GetsItsEnvironmentAndNoOther) {
    ::setenv("CMK_TEST_INHERITED", "yes", 1);
    EXPECT_EQ(run(shell("test \"$ANSWER\" = 42 && test -z \"$CMK_TEST_INHERITED\"")), ChildEnd{});
    ::unsetenv("CMK_TEST_INHERITED");
}

TEST_F(CompatChild, KeepsTheQuotingOfWords) {
    ChildProgram program = shell("test $# = 3 && test \"$1\" = 'a   b' && test \"$3\" = '$HOME'");
    for (const char* word : {"sh", "a   b", "", "$HOME"})
        program.line.words.emplace_back(word);
    EXPECT_EQ(run(program), ChildEnd{});
}

TEST_F(CompatChild, PrepareActsOnTheChildAlone) {
    cpu_set_t before;
    ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &before))
        ++cpu;
    ChildProgram program =
        shell("test \"$(taskset -pc $$ | sed 's/.*: //')\" = " + std::to_string(cpu));
    program.prepare = [&]() -> Status {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (::sched_setaffinity(0, sizeof one, &one) < 0) return errno_error(errno, "affinity");
        return {};
    };
    EXPECT_EQ(run(program), ChildEnd{});
    cpu_set_t after;
    ASSERT_EQ(::sched_getaffinity(0, sizeof after, &after), 0);
    EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

TEST_F(CompatChild, PrepareThatFailsStartsNothing) {
    ChildProgram program = shell("exit 0");
    program.prepare = []() -> Status {
        cpu_set_t none;
        CPU_ZERO(&none);
        if (::sched_setaffinity(0, sizeof none, &none) < 0) {
            return errno_error(errno, "cannot set the affinity to " + std::string(2000, '7'));
        }
        return {};
    };
    const Error error = start_error(program);
    EXPECT_EQ(error.code, Errc::io);
    EXPECT_EQ(error.sys_errno, EINVAL);
    EXPECT_TRUE(error.message.starts_with("cannot set the affinity to 7777")) << error.message;
    EXPECT_EQ(exit_code_of(error), 1);
}

TEST_F(CompatChild, WhatCannotBeExecutedIsToldFromWhatIsMissing) {
    ChildProgram missing{.line = {.words = {"/nonexistent/program"}},
                         .path = "/nonexistent/program"};
    EXPECT_EQ(exit_code_of(start_error(missing)), 127);
    EXPECT_EQ(start_error(missing).message,
              "cannot run \"/nonexistent/program\": No such file or directory");
    ChildProgram directory{.line = {.words = {"/tmp"}}, .path = "/tmp"};
    EXPECT_EQ(exit_code_of(start_error(directory)), 126);
}

TEST_F(CompatChild, AScriptWithoutItsFirstLineIsTheShells) {
    char name[] = "/tmp/cmk-script-XXXXXX";
    const int fd = ::mkstemp(name);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(::fchmod(fd, 0700), 0);
    ::close(fd);
    std::ofstream(name) << "exit $1\n";
    EXPECT_EQ(run({.line = {.words = {name, "9"}}, .path = name}), ChildEnd{.status = 9});
    ::unlink(name);
}

/// What /proc says of blocked and ignored signals, read by a child or by this process.
std::string signal_lines(std::istream& status) {
    std::string found;
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("SigBlk:") || line.starts_with("SigIgn:")) found += line + "\n";
    }
    return found;
}

std::string signal_lines_of_child() {
    char name[] = "/tmp/cmk-status-XXXXXX";
    ::close(::mkstemp(name));
    const ChildProgram copy{.line = {.words = {"cp", "/proc/self/status", name}},
                            .path = "/bin/cp"};
    EXPECT_EQ(run(copy), ChildEnd{});
    std::ifstream file(name);
    ::unlink(name);
    return signal_lines(file);
}

TEST_F(CompatChild, HasTheSignalsFromBefore) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        // A caller that ignores SIGCHLD must not cost us the status.
        ::signal(SIGCHLD, SIG_IGN);
        ::signal(SIGHUP, SIG_IGN);
        sigset_t one;
        ::sigemptyset(&one);
        ::sigaddset(&one, SIGUSR2);
        ::sigprocmask(SIG_SETMASK, &one, nullptr);
        std::ifstream status("/proc/self/status");
        const std::string before = signal_lines(status);
        EXPECT_EQ(signal_lines_of_child(), before);
        std::ifstream again("/proc/self/status");
        EXPECT_EQ(signal_lines(again), before);
        ::_exit(::testing::Test::HasFailure() ? 1 : 0);
    }
    EXPECT_EQ(status_of(pid), 0);
}

/// For a trap: a shell that is about to read(2) when the signal comes would read first.
constexpr char kForever[] = "while :; do sleep 0.01; done";

TEST_F(CompatChild, PassesSignalsOn) {
    const std::pair<int, const char*> signals[] = {
        {SIGTERM, "TERM"}, {SIGINT, "INT"},   {SIGHUP, "HUP"},     {SIGUSR1, "USR1"},
        {SIGUSR2, "USR2"}, {SIGQUIT, "QUIT"}, {SIGWINCH, "WINCH"}, {SIGCONT, "CONT"},
        {SIGALRM, "ALRM"}, {SIGABRT, "ABRT"}, {SIGPIPE, "PIPE"},   {SIGRTMIN, "34"},
        {SIGRTMAX, "64"},  {SIGTTIN, "TTIN"},
    };
    for (const auto& [number, name] : signals) {
        const Wrapper wrapper(std::string("trap 'echo got; exit 5' ") + name + "; echo ready; " +
                              kForever);
        wrapper.expect("ready");
        wrapper.send(number);
        wrapper.expect("got");
        EXPECT_EQ(wrapper.wait(), 5) << name;
    }
}

TEST_F(CompatChild, DiesOfASignalOnlyAfterTheChild) {
    const Wrapper wrapper("echo ready; read line");
    wrapper.expect("ready");
    wrapper.send(SIGTERM);
    EXPECT_EQ(wrapper.wait(), 128 + SIGTERM);
}

TEST_F(CompatChild, ASignalFromBeforeTheStartReachesTheChild) {
    const BlockedSignals signals;
    EXPECT_EQ(BlockedSignals::stop_request(), 0);
    ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
    EXPECT_EQ(BlockedSignals::stop_request(), SIGTERM);
    const auto child = Child::start(signals, shell("while :; do :; done"));
    ASSERT_TRUE(child);
    EXPECT_EQ(*child->wait(signals), ChildEnd{.signal = SIGTERM});
    EXPECT_EQ(BlockedSignals::stop_request(), 0);
}

TEST_F(CompatChild, ASignalThatComesTooLateDoesNotReplaceTheStatus) {
    {
        const BlockedSignals signals;
        ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
    }
    EXPECT_EQ(BlockedSignals::stop_request(), 0);
}

TEST_F(CompatChild, StopsAndContinuesWithTheJob) {
    // Not stopped in a group without a shell that would continue it: so in one of its own.
    const Wrapper wrapper("echo ready; read line", true);
    wrapper.expect("ready");
    wrapper.send(SIGTSTP);
    int status = 0;
    ASSERT_EQ(::waitpid(wrapper.pid(), &status, WUNTRACED), wrapper.pid());
    EXPECT_TRUE(WIFSTOPPED(status));
    wrapper.send(SIGCONT);
    wrapper.send(SIGTERM);
    EXPECT_EQ(wrapper.wait(), 128 + SIGTERM);
}

TEST_F(CompatChild, IsKilledWhenTheParentIs) {
    const Wrapper wrapper("trap '' TERM INT HUP; echo ready; while :; do read line; done");
    wrapper.expect("ready");
    wrapper.send(SIGKILL);
    EXPECT_EQ(wrapper.wait(), -1);
    // The child held the other end.
    wrapper.expect("");
}

TEST_F(CompatChild, AParentThatIsGoneBeforeTheStartLeavesNothing) {
    Pipe held;
    const pid_t pid = ::fork();
    if (pid == 0) {
        held.close_read();
        ::signal(SIGCHLD, SIG_IGN);
        const BlockedSignals signals;
        ChildProgram program = shell("exit 0");
        program.prepare = []() -> Status {
            ::kill(::getppid(), SIGKILL);
            ::pause();
            return {};
        };
        (void)Child::start(signals, program);
        ::_exit(1);
    }
    held.close_write();
    EXPECT_EQ(status_of(pid), -1);
    EXPECT_EQ(read_line(held.ends[0]), "");
}

/// Leads a session on a terminal of its own; false when there is none to be had.
bool take_terminal(const char* name) {
    ::setsid();
    const int terminal = ::open(name, O_RDWR);
    return terminal >= 0 && ::ioctl(terminal, TIOCSCTTY, 0) == 0;
}

/// The first line that the script writes, a key typed, the second line; the exit status then.
int type_at(const std::string& script, char key, const std::string& answer, int last_signal) {
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    EXPECT_TRUE(master >= 0 && ::grantpt(master) == 0 && ::unlockpt(master) == 0);
    const std::string name = ::ptsname(master);
    Pipe output;
    Pipe input;
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (!take_terminal(name.c_str())) ::_exit(99);
        ::dup2(input.ends[0], STDIN_FILENO);
        ::dup2(output.ends[1], STDOUT_FILENO);
        ::_exit(exit_code_of(run(shell(script))));
    }
    output.close_write();
    EXPECT_EQ(read_line(output.ends[0]), "ready");
    EXPECT_EQ(::write(master, &key, 1), 1);
    EXPECT_EQ(read_line(output.ends[0]), answer);
    if (last_signal != 0) ::kill(pid, last_signal);
    const int status = status_of(pid);
    ::close(master);
    return status;
}

TEST_F(CompatChild, AnInterruptKeyCountsOnce) {
    const std::string script =
        std::string("n=0; trap 'n=$((n+1)); echo int' INT; trap 'exit $n' TERM; echo ready; ") +
        kForever;
    EXPECT_EQ(type_at(script, '\x03', "int", SIGTERM), 1);
}

TEST_F(CompatChild, AnInterruptKeyEndsTheProgram) {
    EXPECT_EQ(type_at("echo ready; read line", '\x03', "", 0), 128 + SIGINT);
}

siginfo_t signal_info(int number, int code) {
    siginfo_t info{};
    info.si_signo = number;
    info.si_code = code;
    return info;
}

TEST(CompatSignals, OnlyTheTerminalReachesTheGroup) {
    for (const int number : {SIGINT, SIGQUIT, SIGTSTP, SIGWINCH, SIGTTIN, SIGTTOU}) {
        EXPECT_TRUE(has_reached_group(signal_info(number, SI_KERNEL))) << number;
        EXPECT_FALSE(has_reached_group(signal_info(number, SI_USER))) << number;
        EXPECT_FALSE(has_reached_group(signal_info(number, SI_QUEUE))) << number;
        EXPECT_FALSE(has_reached_group(signal_info(number, SI_TKILL))) << number;
    }
    // An alarm set before cmk was executed.
    EXPECT_FALSE(has_reached_group(signal_info(SIGALRM, SI_KERNEL)));
    EXPECT_FALSE(has_reached_group(signal_info(SIGTERM, SI_USER)));
}

TEST(CompatSignals, AHangupReachesTheLeaderOfASessionAlone) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::setsid();
        ::_exit(has_reached_group(signal_info(SIGHUP, SI_KERNEL)) ? 1 : 0);
    }
    EXPECT_EQ(status_of(pid), 0);
    EXPECT_EQ(has_reached_group(signal_info(SIGHUP, SI_KERNEL)), ::getsid(0) != ::getpid());
}

TEST(CompatSignals, QueuedValuesArePassedOn) {
    const BlockedSignals signals;
    sigval value{};
    value.sival_int = 4711;
    siginfo_t info = signal_info(SIGRTMIN + 1, SI_QUEUE);
    info.si_value = value;
    pass_on(info, ::getpid());
    const auto got = signals.poll();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->si_signo, SIGRTMIN + 1);
    EXPECT_EQ(got->si_value.sival_int, 4711);
    pass_on(signal_info(SIGCHLD, SI_USER), ::getpid());
    EXPECT_FALSE(signals.poll());
}

}  // namespace
}  // namespace cmk::compat
