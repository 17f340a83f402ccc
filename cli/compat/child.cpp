// SPDX-License-Identifier: Apache-2.0
#include "cli/compat/child.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>

#include "base/unique_fd.h"

namespace cmk::compat {

namespace {

/// What a child says that could not become its program.
struct Failure {
    bool is_exec;  ///< else prepare() failed
    Errc code;
    int sys_errno;
    char message[1024];  ///< of prepare()
};

/// Both ends of the talk between parent and child, closed by a successful exec.
struct Channel {
    UniqueFd parent = {};
    UniqueFd child = {};
};

Result<Channel> open_channel() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return errno_error(errno, "cannot make a socket pair");
    }
    return Channel{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// All that follows happens in the child.
class Newborn {
public:
    Newborn(const BlockedSignals& signals, Channel& channel, pid_t parent)
        : signals_(signals), channel_(channel), parent_(parent) {
        // Held open here it would hide the parent's end.
        channel_.parent.reset();
    }

    [[noreturn]] void become(ChildProgram program) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        // The parent may have ended before that request.
        if (::getppid() != parent_) ::_exit(kUnborn);
        // Before anything is said: to end with an unread word would take what was said along.
        wait_for_word();
        if (program.prepare) {
            const Status prepared = program.prepare();
            if (!prepared) fail(false, prepared.error());
        }
        auto words = pointers_to(program.line.words);
        auto environment = pointers_to(program.environment);
        signals_.restore();
        // Beyond execve(2) it knows that a script without "#!" goes to the shell.
        ::execvpe(program.path.c_str(), words.data(), environment.data());
        fail(true, errno_error(errno, ""));
    }

private:
    static constexpr int kUnborn = 127;

    void wait_for_word() {
        char word = 0;
        ssize_t got = 0;
        do {
            got = ::recv(channel_.child.get(), &word, 1, 0);
        } while (got < 0 && errno == EINTR);
        if (got != 1) ::_exit(kUnborn);
    }

    [[noreturn]] void fail(bool is_exec, const Error& error) {
        Failure failure{};
        failure.is_exec = is_exec;
        failure.code = error.code;
        failure.sys_errno = error.sys_errno;
        error.message.copy(failure.message, sizeof failure.message - 1);
        (void)::send(channel_.child.get(), &failure, sizeof failure, MSG_NOSIGNAL);
        ::_exit(kUnborn);
    }

    const BlockedSignals& signals_;
    Channel& channel_;
    pid_t parent_;
};

bool is_job_control(int number) {
    return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

/// Passes on what came before the child was there. One that has come to the child too meanwhile is
/// not had twice: the child still blocks it, and a waiting signal does not come again. Stops are
/// left, since we listen to the child only until it has become its program.
void pass_on_early(const BlockedSignals& signals, pid_t child) {
    while (const auto info = signals.poll()) {
        if (!is_job_control(info->si_signo)) pass_on(*info, child);
    }
}

std::optional<Failure> hear_failure(const UniqueFd& parent_end) {
    Failure failure{};
    ssize_t got = 0;
    do {
        got = ::recv(parent_end.get(), &failure, sizeof failure, 0);
    } while (got < 0 && errno == EINTR);
    if (got != static_cast<ssize_t>(sizeof failure)) return std::nullopt;
    return failure;
}

void reap(pid_t child) {
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
}

bool is_waiting(int number) {
    sigset_t waiting;
    ::sigpending(&waiting);
    return ::sigismember(&waiting, number) == 1;
}

/// Goes on when the job is continued. A SIGCONT that waits already would be lost by stopping.
void stop_with_child() {
    if (!is_waiting(SIGCONT)) ::kill(::getpid(), SIGSTOP);
}

/// The end of the child, or nothing while it lives.
Result<std::optional<ChildEnd>> look_at(pid_t child) {
    for (;;) {
        int status = 0;
        const pid_t changed = ::waitpid(child, &status, WNOHANG | WUNTRACED);
        if (changed < 0 && errno == EINTR) continue;
        if (changed < 0) return errno_error(errno, "cannot wait for the program");
        if (changed == 0) return std::optional<ChildEnd>();
        if (WIFEXITED(status)) return std::optional(ChildEnd{.status = WEXITSTATUS(status)});
        if (WIFSIGNALED(status)) return std::optional(ChildEnd{.signal = WTERMSIG(status)});
        if (is_job_control(WSTOPSIG(status))) stop_with_child();
    }
}

}  // namespace

int exit_code_of(const ChildEnd& end) {
    return end.signal == 0 ? end.status : 128 + end.signal;
}

Result<Child> Child::start(const BlockedSignals& signals, const ChildProgram& program) {
    CMK_TRY_ASSIGN(Channel channel, open_channel());
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return errno_error(errno, "cannot start a process");
    if (pid == 0) Newborn(signals, channel, parent).become(program);
    channel.child.reset();
    pass_on_early(signals, pid);
    (void)::send(channel.parent.get(), "g", 1, MSG_NOSIGNAL);
    const auto failure = hear_failure(channel.parent);
    if (!failure) return Child(pid);
    reap(pid);
    if (failure->is_exec) return cannot_run(program.line, failure->sys_errno);
    return Error{failure->code, failure->sys_errno, failure->message};
}

Result<ChildEnd> Child::wait(const BlockedSignals& signals) const {
    for (;;) {
        CMK_TRY_ASSIGN(const std::optional<ChildEnd> end, look_at(pid_));
        if (end) return *end;
        const siginfo_t info = signals.wait();
        if (!has_reached_group(info)) pass_on(info, pid_);
    }
}

}  // namespace cmk::compat
