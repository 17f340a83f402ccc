// SPDX-License-Identifier: Apache-2.0
#include "agent/cpu_census.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

/// At the top of the hierarchy, and only while it takes to make and unmake it.
constexpr char kRepairGroup[] = "cmk-repair";
/// Deeper trees than any service manager makes end the walk.
constexpr unsigned kMaxDepth = 32;

/// Visits every group that can be a partition, parents first. Where the controller is not handed
/// down, nothing below can be one.
template <typename Visit>
void walk(int top, const std::string& path, unsigned depth, const Visit& visit) {
    const auto names = list_dir_at(top, path.empty() ? "." : path);
    if (!names || depth > kMaxDepth) return;
    for (const std::string& name : *names) {
        const std::string child = path.empty() ? name : path + "/" + name;
        struct stat info {};
        if (::fstatat(top, child.c_str(), &info, AT_SYMLINK_NOFOLLOW) < 0) continue;
        if (!S_ISDIR(info.st_mode)) continue;
        const auto state = read_partition(top, child);
        if (!state) continue;
        visit(child, *state);
        walk(top, child, depth + 1, visit);
    }
}

}  // namespace

std::vector<FoundPartition> list_partitions(int top) {
    std::vector<FoundPartition> found;
    walk(top, "", 0, [&](const std::string& path, const PartitionState& state) {
        if (state.type == PartitionType::member) return;
        found.push_back({path, state, read_cpus(top, path, "/cpuset.cpus.effective")});
    });
    return found;
}

std::vector<std::string> list_exclusive(int top, const CpuSet& cpus) {
    std::vector<std::string> found;
    walk(top, "", 0, [&](const std::string& path, const PartitionState&) {
        if (read_cpus(top, path, "/cpuset.cpus.exclusive").intersects(cpus)) found.push_back(path);
    });
    return found;
}

std::string name_rivals(int top, const std::string& own, const CpuSet& cpus) {
    std::string text;
    for (const FoundPartition& partition : list_partitions(top)) {
        if (partition.path.starts_with(own)) continue;
        CpuSet wanted = partition.effective;
        wanted |= read_cpus(top, partition.path, "/cpuset.cpus");
        if (!wanted.intersects(cpus)) continue;
        text += text.empty() ? " by " : ", ";
        text += "/" + partition.path + " (" + partition.state.text + ", CPUs " +
                (wanted & cpus).to_cpulist() + ")";
    }
    return text;
}

std::string name_siblings(int top, const std::string& own, const CpuSet& cpus) {
    std::string text;
    const std::size_t slash = own.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : own.substr(0, slash + 1);
    const auto names = list_dir_at(top, parent.empty() ? "." : parent);
    for (const std::string& name : names ? *names : std::vector<std::string>{}) {
        const std::string path = parent + name;
        const CpuSet theirs = read_cpus(top, path, "/cpuset.cpus");
        if (path == own || !theirs.intersects(cpus)) continue;
        text += (text.empty() ? " by /" : ", /") + path + " (CPUs " + theirs.to_cpulist() + ")";
    }
    return text;
}

CpuSet find_lost(int top, const CpuSet& online) {
    CpuSet lost = online - read_cpus(top, ".", "/cpuset.cpus.effective");
    for (const FoundPartition& partition : list_partitions(top)) {
        if (partition.state.valid) lost -= partition.effective;
    }
    return lost;
}

Status return_to_everybody(int top, const CpuSet& cpus) {
    if (::mkdirat(top, kRepairGroup, 0755) < 0 && errno != EEXIST) {
        return errno_error(errno, std::string("cannot make ") + kRepairGroup);
    }
    Status done = write_file_at(top, std::string(kRepairGroup) + "/cpuset.cpus", cpus.to_cpulist());
    if (done) done = write_partition(top, kRepairGroup, PartitionType::root);
    if (done) done = write_partition(top, kRepairGroup, PartitionType::member);
    if (::unlinkat(top, kRepairGroup, AT_REMOVEDIR) < 0 && done) {
        done = errno_error(errno, std::string("cannot remove ") + kRepairGroup);
    }
    return done;
}

}  // namespace cmk
