// SPDX-License-Identifier: Apache-2.0
// Times whole processes side by side in one run: `cmkctl isolate … true` with a real agent on real
// cpusets, beside `taskset`, `cgexec` and a plain exec. Prints ratios of medians; judges nothing.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/agent_process.h"

extern char** environ;

namespace {

using namespace cmk::test;
using Line = std::vector<std::string>;

double now_us() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// Starts the program and waits for its end; microseconds, or a negative number if it failed.
double time_once(const Line& line) {
    std::vector<char*> words;
    for (const std::string& word : line)
        words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    const double begin = now_us();
    pid_t pid = -1;
    if (::posix_spawnp(&pid, words[0], nullptr, nullptr, words.data(), environ) != 0) return -1;
    int status = 0;
    ::waitpid(pid, &status, 0);
    const double end = now_us();
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? end - begin : -1;
}

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

struct Contender {
    std::string name;
    Line line;
    std::vector<double> times = {};
};

/// A ready cpuset for cgexec, like the one a lease has.
class ReadyCgroup {
public:
    ReadyCgroup() : name_("cmk-bench-" + std::to_string(::getpid())) {
        const std::string dir = path();
        ::mkdir(dir.c_str(), 0755);
        std::ofstream(dir + "/cpuset.cpus") << "0";
        std::ofstream(dir + "/cpuset.mems") << "0";
    }
    ~ReadyCgroup() { ::rmdir(path().c_str()); }
    const std::string& name() const { return name_; }

private:
    std::string path() const { return cpuset_v1_mount() + "/" + name_; }
    std::string name_;
};

/// A directory of the original's format, with one exclusive core.
class ReadyDirectory {
public:
    ReadyDirectory() : root_("/tmp/cmk-bench-" + std::to_string(::getpid())) {
        std::filesystem::create_directories(root_);
        std::filesystem::create_symlink(std::filesystem::absolute(built("cli/cmkctl")),
                                        root_ + "/cmk");
        ::setenv("CMK_PROC_FS", "/proc", 1);
        const Outcome made = run(line({"init", "--num-exclusive-cores=1", "--num-shared-cores=0"}));
        if (made.exit != 0) std::printf("cmk init failed: %s\n", made.err.c_str());
    }
    ~ReadyDirectory() { std::filesystem::remove_all(root_); }
    Line line(Line words) const {
        words.insert(words.begin(), root_ + "/cmk");
        words.push_back("--conf-dir=" + root_ + "/conf");
        return words;
    }

private:
    std::string root_;
};

/// False when one of them fails.
bool compare(std::vector<Contender>& contenders, int rounds) {
    for (int round = -20; round < rounds; ++round) {
        for (Contender& contender : contenders) {
            const double us = time_once(contender.line);
            if (us < 0) {
                std::printf("%s failed\n", contender.name.c_str());
                return false;
            }
            if (round >= 0) contender.times.push_back(us);
        }
    }
    const double base = median(contenders.front().times);
    std::printf("%-44s %10s %16s\n", "whole process, median of pairs", "us", "vs first line");
    for (const Contender& contender : contenders) {
        std::vector<double> ratios;
        for (std::size_t i = 0; i < contender.times.size(); ++i) {
            ratios.push_back(contender.times[i] / contenders.front().times[i]);
        }
        const double us = median(contender.times);
        std::printf("%-44s %10.0f %9.2f (pairs %.2f)\n", contender.name.c_str(), us, us / base,
                    median(ratios));
    }
    return true;
}

std::string status_field(pid_t pid, const std::string& field) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);) {
        if (line.rfind(field + ":", 0) == 0) return line.substr(field.size() + 1);
    }
    return "";
}

/// Counts the agent's system calls for one lease, by strace's summary.
long count_calls(const AgentProcess& agent, const std::string& pool) {
    const std::string file = agent.state_dir() + ".trace";
    Command tracer({"strace", "-f", "-q", "-o", file, "-p", std::to_string(agent.pid())});
    // strace -q prints nothing; the first traced line shows that it is attached.
    long lines = 0;
    for (int i = 0; i < 200 && status_field(agent.pid(), "TracerPid") == "\t0"; ++i) {
        ::usleep(10000);
    }
    agent.ctl({"isolate", "--pool", pool, "--", "true"});
    ::usleep(300000);
    tracer.send_signal(SIGINT);
    (void)tracer.finish();
    std::ifstream trace(file);
    for (std::string line; std::getline(trace, line);) {
        if (line.find("+++") == std::string::npos && line.find("---") == std::string::npos) ++lines;
    }
    return lines;
}

void show_agent(const AgentProcess& agent) {
    const std::string before = status_field(agent.pid(), "voluntary_ctxt_switches");
    ::usleep(2000000);
    const std::string after = status_field(agent.pid(), "voluntary_ctxt_switches");
    std::printf("agent: RSS%s, wake-ups in two idle seconds: %ld\n",
                status_field(agent.pid(), "VmRSS").c_str(),
                std::atol(after.c_str()) - std::atol(before.c_str()));
}

/// Starts programs with leases of their own until there are `count`; the agent takes only so many
/// connections at once.
std::vector<std::unique_ptr<Command>> hold_leases(const AgentProcess& agent, std::size_t count) {
    constexpr std::size_t kAtOnce = 50;
    const Command::Options quiet{.pipe_output = false};
    const Line line = agent.ctl_line({"isolate", "--pool", "infra", "--", "sleep", "300"});
    std::vector<std::unique_ptr<Command>> holders;
    while (holders.size() < count) {
        const std::size_t next = std::min(holders.size() + kAtOnce, count);
        while (holders.size() < next)
            holders.push_back(std::make_unique<Command>(line, quiet));
        for (int i = 0; i < 600 && agent.lease_groups("infra").size() < next; ++i)
            ::usleep(50000);
    }
    return holders;
}

void show_scaling(const AgentProcess& agent) {
    const long one = count_calls(agent, "infra");
    const auto holders = hold_leases(agent, 500);
    const long many = count_calls(agent, "infra");
    std::printf("agent: system calls for one lease: %ld with no other lease, %ld with %zu others\n",
                one, many, agent.lease_groups("infra").size());
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 300;
    if (cpuset_v1_mount().empty()) {
        std::printf("skipped: no v1 cpuset hierarchy on this machine\n");
        return 77;  // what meson and tests/run take for skipped
    }
    AgentProcess agent;
    const double begin = now_us();
    if (!agent.start()) {
        std::printf("the agent does not start: %s\n", agent.finish().err.c_str());
        return 1;
    }
    std::printf("agent: start to serving: %.1f ms\n", (now_us() - begin) / 1000);
    if (const Outcome made = agent.init(1, 0); made.exit != 0) {
        std::printf("init failed: %s\n", made.err.c_str());
        return 1;
    }
    const ReadyCgroup ready;
    const ReadyDirectory directory;
    std::vector<Contender> contenders{
        {"taskset -c 0 true", {"taskset", "-c", "0", "true"}},
        {"cmkctl isolate --pool exclusive -- true",
         agent.ctl_line({"isolate", "--pool", "exclusive", "--wait", "--", "true"})},
        {"cgexec -g cpuset:READY true", {"cgexec", "-g", "cpuset:" + ready.name(), "true"}},
        {"cmk isolate --pool=exclusive true, no agent",
         directory.line({"isolate", "--pool=exclusive", "true"})},
        {"true", {"true"}}};
    if (!compare(contenders, rounds)) return 1;
    show_agent(agent);
    show_scaling(agent);
    return 0;
}
