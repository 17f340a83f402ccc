// SPDX-License-Identifier: Apache-2.0
#include "support/agent_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace cmk::test {

namespace fs = std::filesystem;

namespace {

constexpr int kPatienceMs = 20000;

std::string make_temp_dir() {
    std::string path = fs::temp_directory_path() / "cmk-test-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return "";
    ::chmod(path.c_str(), 0755);  // other users reach the socket
    return path;
}

std::string unique_name() {
    static int count = 0;
    return "cmk-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
}

/// Leased processes were started by the test, and end with it.
void kill_members(const fs::path& group) {
    std::ifstream procs(group / "cgroup.procs");
    for (pid_t pid = 0; procs >> pid;)
        ::kill(pid, SIGKILL);
}

/// A group stays busy until the kernel has let go of its last process.
void remove_group(const fs::path& group) {
    for (int attempt = 0; attempt < 200 && fs::exists(group); ++attempt) {
        if (::rmdir(group.c_str()) == 0) return;
        kill_members(group);
        ::poll(nullptr, 0, 10);
    }
}

}  // namespace

std::string built(const std::string& program) {
    const char* dir = std::getenv("CMK_BUILD_DIR");
    return (dir == nullptr ? fs::path("build") : fs::path(dir)) / program;
}

std::string first_core() {
    std::string cpus;
    std::getline(std::ifstream("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list"), cpus);
    return cpus;
}

std::string cpuset_v1_mount() {
    std::ifstream mounts("/proc/mounts");
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream words(line);
        std::string device, point, type, options;
        words >> device >> point >> type >> options;
        if (type == "cgroup" && ("," + options + ",").find(",cpuset,") != std::string::npos) {
            return point;
        }
    }
    return "";
}

AgentProcess::AgentProcess(Setup setup)
    : setup_(std::move(setup)), dir_(make_temp_dir()), group_name_(unique_name()) {
    std::ofstream(config_file()) << "[cgroup]\nname = \"" << group_name_ << "\"\n" << setup_.config;
}

AgentProcess::~AgentProcess() {
    command_.reset();
    remove_groups();
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
}

std::string AgentProcess::group_dir() const {
    return cpuset_v1_mount() + "/" + group_name_;
}

std::vector<std::string> AgentProcess::lease_groups(const std::string& pool) const {
    std::vector<std::string> names;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(group_dir() + "/" + pool, missing)) {
        if (entry.is_directory()) names.push_back(entry.path().filename());
    }
    return names;
}

void AgentProcess::remove_groups() const {
    if (cpuset_v1_mount().empty() || !fs::exists(group_dir())) return;
    std::vector<fs::path> pools;
    for (const auto& entry : fs::directory_iterator(group_dir())) {
        if (entry.is_directory()) pools.push_back(entry.path());
    }
    for (const fs::path& pool : pools) {
        std::vector<fs::path> leases;
        for (const auto& entry : fs::directory_iterator(pool)) {
            if (entry.is_directory()) leases.push_back(entry.path());
        }
        for (const fs::path& lease : leases)
            remove_group(lease);
        remove_group(pool);
    }
    remove_group(group_dir());
}

bool AgentProcess::start() {
    int ready[2] = {-1, -1};
    if (::pipe(ready) < 0) return false;
    UniqueFd reader(ready[0]);
    ::fcntl(reader.get(), F_SETFD, FD_CLOEXEC);
    std::vector<std::string> line = setup_.wrapper;
    line.insert(line.end(), {built("agent/cmk-agent"), "--foreground", "--config", config_file(),
                             "--state-dir", state_dir(), "--socket", socket(), "--bus", setup_.bus,
                             "--ready-fd", std::to_string(ready[1])});
    command_ = std::make_unique<Command>(line);
    ::close(ready[1]);
    pollfd wait{reader.get(), POLLIN, 0};
    char byte = 0;
    if (::poll(&wait, 1, kPatienceMs) > 0 && ::read(reader.get(), &byte, 1) == 1) return true;
    return false;
}

Outcome AgentProcess::finish() {
    Outcome outcome = command_->finish();
    command_.reset();
    return outcome;
}

Outcome AgentProcess::stop() {
    command_->send_signal(SIGTERM);
    return finish();
}

void AgentProcess::crash() {
    command_->send_signal(SIGKILL);
    (void)finish();
}

std::vector<std::string> AgentProcess::ctl_line(std::vector<std::string> args) const {
    std::vector<std::string> line{built("cli/cmkctl"), "--socket", socket()};
    line.insert(line.end(), args.begin(), args.end());
    return line;
}

Outcome AgentProcess::ctl(std::vector<std::string> args) const {
    return run(ctl_line(std::move(args)));
}

Outcome AgentProcess::init(unsigned exclusive, unsigned shared) const {
    return ctl({"init", "--yes", "--num-exclusive-cores", std::to_string(exclusive),
                "--num-shared-cores", std::to_string(shared)});
}

}  // namespace cmk::test
