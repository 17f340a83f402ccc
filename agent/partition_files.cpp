// SPDX-License-Identifier: Apache-2.0
#include "agent/partition_files.h"

#include <cerrno>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

constexpr char kPartition[] = "/cpuset.cpus.partition";
constexpr char kExclusive[] = "/cpuset.cpus.exclusive";

Status write_exclusive(int top, const std::string& path, const CpuSet& cpus) {
    // The kernel takes a line end for "none", and nothing at all for no write.
    return write_file_at(top, path + kExclusive, cpus.to_cpulist() + "\n");
}

}  // namespace

PartitionState parse_partition(std::string_view text) {
    const std::string_view line = trim(text);
    const std::string_view word = line.substr(0, line.find(' '));
    return {partition_type_from(word).value_or(PartitionType::member),
            line.find(" invalid") == std::string_view::npos, std::string(line)};
}

Result<PartitionState> read_partition(int top, const std::string& path) {
    CMK_TRY_ASSIGN(const std::string text, read_file_at(top, path + kPartition));
    return parse_partition(text);
}

Status write_partition(int top, const std::string& path, PartitionType type) {
    CMK_TRY_ASSIGN(const PartitionState before, read_partition(top, path));
    if (before.type == type && before.valid) return {};
    if (before.type != PartitionType::member) {
        CMK_TRY(write_file_at(top, path + kPartition, to_text(PartitionType::member)));
    }
    if (type == PartitionType::member) return {};
    CMK_TRY(write_file_at(top, path + kPartition, to_text(type)));
    CMK_TRY_ASSIGN(const PartitionState after, read_partition(top, path));
    if (after.type == type && after.valid) return {};
    return make_error(Errc::conflict, "the kernel refuses the partition " + path + ": it reads " +
                                          quote(after.text));
}

void read_partition_into(int top, const std::string& path, PoolState& state) {
    const auto partition = read_partition(top, path);
    if (!partition) return;
    state.partition = partition->type;
    state.valid = partition->valid;
}

Status judge_exclusive(int top, const std::string& path, Confinement& found) {
    CMK_TRY_ASSIGN(const PartitionState state, read_partition(top, path));
    const CpuSet others = read_cpus(top, ".", "/cpuset.cpus.effective");
    found.exclusive = state.valid && state.type != PartitionType::member && !others.empty() &&
                      !others.intersects(found.effective);
    found.isolated = found.exclusive && state.type == PartitionType::isolated;
    found.evidence = "partition " + path + ": " + state.text +
                     "; CPUs of everybody else: " + others.to_cpulist();
    return {};
}

Status set_exclusive(int top, const std::vector<std::string>& chain, const CpuSet& cpus) {
    if (chain.empty()) return {};
    const CpuSet before = read_cpus(top, chain.back(), kExclusive);
    if (cpus.contains_all(before)) {
        for (const std::string& path : chain)
            CMK_TRY(write_exclusive(top, path, cpus));
        return {};
    }
    for (auto path = chain.rbegin(); path != chain.rend(); ++path)
        CMK_TRY(write_exclusive(top, *path, cpus));
    return {};
}

Status add_exclusive(int top, const std::vector<std::string>& chain, const CpuSet& cpus) {
    for (const std::string& path : chain) {
        const CpuSet before = read_cpus(top, path, kExclusive);
        if (!before.contains_all(cpus)) CMK_TRY(write_exclusive(top, path, before | cpus));
    }
    return {};
}

Status drop_exclusive(int top, const std::vector<std::string>& chain, const CpuSet& cpus) {
    for (auto path = chain.rbegin(); path != chain.rend(); ++path) {
        const CpuSet before = read_cpus(top, *path, kExclusive);
        if (!before.intersects(cpus)) continue;
        const Status dropped = write_exclusive(top, *path, before - cpus);
        if (!dropped && dropped.error().sys_errno != ENOENT &&
            dropped.error().sys_errno != ENODEV) {
            return dropped;
        }
    }
    return {};
}

std::vector<std::string> chain_to(const std::string& path) {
    std::vector<std::string> chain;
    for (std::size_t end = path.find('/');; end = path.find('/', end + 1)) {
        chain.push_back(path.substr(0, end));
        if (end == std::string::npos) return chain;
    }
}

CpuSet read_cpus(int top, const std::string& path, const std::string& file) {
    const auto text = read_file_at(top, path + file);
    auto cpus = text ? CpuSet::parse(*text) : Result<CpuSet>(text.error());
    return cpus ? *std::move(cpus) : CpuSet{};
}

}  // namespace cmk
