// SPDX-License-Identifier: Apache-2.0
#include "k8s/cluster/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/text.h"
#include "base/unique_fd.h"

namespace cmk::k8s {

namespace {

constexpr std::string_view kPodVariables = "KUBERNETES_";
constexpr std::size_t kMaxOutput = 4U << 20;

struct Pipe {
    UniqueFd read;
    UniqueFd write;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0) return errno_error(errno, "cannot make a pipe");
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::vector<char*> host_environment() {
    std::vector<char*> kept;
    for (char** each = environ; *each != nullptr; ++each)
        if (!std::string_view(*each).starts_with(kPodVariables)) kept.push_back(*each);
    kept.push_back(nullptr);
    return kept;
}

/// Reads both to their ends at the same time: the child could wait for either.
void drain(const Pipe& out, const Pipe& err, ChildOutput& output) {
    std::array<pollfd, 2> polled{pollfd{out.read.get(), POLLIN, 0},
                                 pollfd{err.read.get(), POLLIN, 0}};
    const std::array<std::string*, 2> texts{&output.out, &output.err};
    while (polled[0].fd >= 0 || polled[1].fd >= 0) {
        if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) return;
        for (std::size_t i = 0; i < polled.size(); ++i) {
            if (polled[i].fd < 0 || polled[i].revents == 0) continue;
            std::array<char, 4096> bytes{};
            const ssize_t count = ::read(polled[i].fd, bytes.data(), bytes.size());
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) {
                polled[i].fd = -1;
            } else if (texts[i]->size() < kMaxOutput) {
                texts[i]->append(bytes.data(), static_cast<std::size_t>(count));
            }
        }
    }
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<ChildOutput> run_child(const std::vector<std::string>& words) {
    CMK_TRY_ASSIGN(Pipe out, make_pipe());
    CMK_TRY_ASSIGN(Pipe err, make_pipe());
    std::vector<char*> arguments;
    for (const std::string& word : words)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const auto variables = host_environment();
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
    pid_t child = 0;
    const int failed =
        ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), variables.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (failed == ENOENT) {
        return make_error(Errc::unavailable,
                          quote(words[0]) +
                              " is not installed here; with --keep-host the host's "
                              "pools and program stay");
    }
    if (failed != 0) return errno_error(failed, "cannot run " + words[0]);
    out.write = UniqueFd();
    err.write = UniqueFd();
    ChildOutput output;
    drain(out, err, output);
    output.exit_code = wait_for(child);
    return output;
}

}  // namespace cmk::k8s
