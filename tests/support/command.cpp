// SPDX-License-Identifier: Apache-2.0
#include "support/command.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>

namespace cmk::test {

namespace {

constexpr int kPatienceMs = 10000;

struct Pipe {
    UniqueFd read;
    UniqueFd write;
    Pipe() {
        int fds[2] = {-1, -1};
        if (::pipe2(fds, O_CLOEXEC) == 0) {
            read.reset(fds[0]);
            write.reset(fds[1]);
        }
    }
};

pid_t clone_process(unsigned flags) {
    clone_args args{};
    args.flags = flags;
    args.exit_signal = SIGCHLD;
    return static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
}

[[noreturn]] void become(const std::vector<std::string>& args, const Command::Options& options) {
    for (const auto& [name, value] : options.env)
        ::setenv(name.c_str(), value.c_str(), 1);
    if (options.uid != 0 && (::setresgid(options.uid, options.uid, options.uid) < 0 ||
                             ::setresuid(options.uid, options.uid, options.uid) < 0)) {
        ::_exit(124);
    }
    std::vector<char*> words;
    for (const std::string& arg : args)
        words.push_back(const_cast<char*>(arg.c_str()));
    words.push_back(nullptr);
    ::execvp(words[0], words.data());
    ::_exit(124);
}

/// Appends what is there; false at the end of the stream.
bool read_some(int fd, std::string& text) {
    char buffer[4096];
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
    return count > 0 || (count < 0 && errno == EINTR);
}

}  // namespace

Command::Command(std::vector<std::string> args, Options options) {
    Pipe out;
    Pipe err;
    pid_ = clone_process(options.clone_flags);
    if (pid_ == 0) {
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        if (options.pipe_output) {
            ::dup2(out.write.get(), STDOUT_FILENO);
            ::dup2(err.write.get(), STDERR_FILENO);
        }
        become(args, options);
    }
    out_ = std::move(out.read);
    err_ = std::move(err.read);
}

Command::~Command() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

bool Command::wait_for_output(const std::string& text) {
    while (outcome_.out.find(text) == std::string::npos) {
        pollfd ready{out_.get(), POLLIN, 0};
        if (::poll(&ready, 1, kPatienceMs) <= 0 || !read_some(out_.get(), outcome_.out)) {
            return false;
        }
    }
    return true;
}

void Command::send_signal(int number) const {
    ::kill(pid_, number);
}

Outcome Command::finish() {
    pollfd streams[2] = {{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}};
    std::string* texts[2] = {&outcome_.out, &outcome_.err};
    while (streams[0].fd >= 0 || streams[1].fd >= 0) {
        if (::poll(streams, 2, kPatienceMs) <= 0) break;
        for (int i = 0; i < 2; ++i) {
            if (streams[i].revents != 0 && !read_some(streams[i].fd, *texts[i])) {
                streams[i].fd = -1;
            }
        }
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    outcome_.exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    outcome_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return std::move(outcome_);
}

Outcome run(std::vector<std::string> args) {
    return run(std::move(args), Command::Options{});
}

Outcome run(std::vector<std::string> args, Command::Options options) {
    return Command(std::move(args), std::move(options)).finish();
}

}  // namespace cmk::test
