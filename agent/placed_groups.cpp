// SPDX-License-Identifier: Apache-2.0
#include "agent/placed_groups.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <set>

#include "agent/cpu_census.h"
#include "agent/partition_files.h"
#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

constexpr char kCpus[] = "/cpuset.cpus";
constexpr char kEffective[] = "/cpuset.cpus.effective";
constexpr char kExclusive[] = "/cpuset.cpus.exclusive";
constexpr char kPartition[] = "/cpuset.cpus.partition";
constexpr char kProcs[] = "/cgroup.procs";

std::string last_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

/// The process that a thread belongs to; 0 when it has ended.
int process_of(std::string_view thread) {
    const auto text = read_file_at(AT_FDCWD, "/proc/" + std::string(thread) + "/status");
    for (const std::string_view line : split(text ? *text : "", '\n')) {
        if (!line.starts_with("Tgid:")) continue;
        const auto pid = parse_unsigned(trim(line.substr(5)), INT_MAX);
        return pid ? static_cast<int>(*pid) : 0;
    }
    return 0;
}

/// The group has ended with its container; ENODEV while it is going.
bool is_gone(const Error& error) {
    return error.sys_errno == ENOENT || error.sys_errno == ENODEV;
}

}  // namespace

std::string PlacedGroups::path_of(const LeaseGroup& group) {
    if (group.place.kind == PlaceKind::unit) return group.place.path;
    return group.place.path + "/" + kPlacedPrefix + group.lease;
}

bool PlacedGroups::exists(const std::string& path) const {
    return ::faccessat(top_, path.c_str(), F_OK, 0) == 0;
}

std::optional<Place> PlacedGroups::place_for(CallerKind caller, const std::string& path) const {
    const std::string own = path.substr(std::min(path.size(), path.find_first_not_of('/')));
    if (caller == CallerKind::service && units_ != nullptr && !own.empty()) {
        return Place{PlaceKind::unit, own};
    }
    if (caller != CallerKind::container) return Place{};
    const std::string group = container_group(own);
    if (group.empty() || !exists(group + kEffective)) return std::nullopt;
    return Place{PlaceKind::child, group};
}

/// What is there already is mended, and stays when that fails.
bool PlacedGroups::is_untouched(const LeaseGroup& group) const {
    const std::string path = path_of(group);
    if (group.place.kind == PlaceKind::child) return !exists(path);
    return read_cpus(top_, path, kExclusive).empty() && read_cpus(top_, path, kCpus).empty();
}

Status PlacedGroups::make(const LeaseGroup& group, const CpuSet& cpus, PartitionType type) {
    const bool is_new = is_untouched(group);
    Status done = group.place.kind == PlaceKind::unit ? limit_unit(group, cpus, type)
                                                      : make_child(group, cpus);
    if (done) done = take_exclusively(group, cpus, type);
    if (!done && is_new) (void)remove(group, cpus);
    return done;
}

Status PlacedGroups::make_child(const LeaseGroup& group, const CpuSet& cpus) {
    const std::string path = path_of(group);
    if (::mkdirat(top_, path.c_str(), 0755) < 0 && errno != EEXIST) {
        return errno_error(errno, "cannot make " + path);
    }
    CMK_TRY(write_file_at(top_, path + "/cgroup.type", "threaded"));
    CMK_TRY(write_file_at(top_, group.place.path + "/cgroup.subtree_control", "+cpuset"));
    return write_file_at(top_, path + kCpus, cpus.to_cpulist());
}

/// A unit that hands the controller on is left to itself; for others systemd has to enable it.
Status PlacedGroups::limit_unit(const LeaseGroup& group, const CpuSet& cpus, PartitionType type) {
    const bool has_files = exists(group.place.path + kExclusive);
    if (has_files && remote_partitions_ && type != PartitionType::member) return {};
    return units_->set_allowed_cpus(last_name(group.place.path), cpus);
}

Status PlacedGroups::take_exclusively(const LeaseGroup& group, const CpuSet& cpus,
                                      PartitionType type) {
    if (!remote_partitions_ || type == PartitionType::member) return {};
    const std::string path = path_of(group);
    const Status taken = add_exclusive(top_, chain_to(path), cpus);
    if (!taken && taken.error().sys_errno == EINVAL) {
        return make_error(Errc::conflict, "CPUs " + cpus.to_cpulist() + " cannot be taken for /" +
                                              group.place.path + ": some are held" +
                                              name_rivals(top_, path, cpus) +
                                              "; see cmkctl reconcile");
    }
    CMK_TRY(taken);
    return write_partition(top_, path, type);
}

Status PlacedGroups::remove(const LeaseGroup& group, const CpuSet& cpus) {
    const std::string path = path_of(group);
    if (remote_partitions_) {
        const Status unmade = write_partition(top_, path, PartitionType::member);
        if (!unmade && !is_gone(unmade.error())) return unmade;
        CMK_TRY(drop_exclusive(top_, chain_to(path), cpus));
    }
    if (group.place.kind == PlaceKind::child) return remove_child(group);
    unlimit_unit(group);
    return {};
}

/// The last child that goes makes the container's group an ordinary one again.
Status PlacedGroups::remove_child(const LeaseGroup& group) {
    const std::string path = path_of(group);
    if (::unlinkat(top_, path.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT && errno != ENODEV) {
        return errno_error(errno, "cannot remove " + path);
    }
    const auto names = list_dir_at(top_, group.place.path);
    const bool is_last =
        names && std::none_of(names->begin(), names->end(), [](const std::string& name) {
            return name.starts_with(kPlacedPrefix);
        });
    if (is_last) {
        (void)write_file_at(top_, group.place.path + "/cgroup.subtree_control", "-cpuset");
    }
    return {};
}

/// A group with processes cannot be set back to no CPUs of its own; everybody's are the same to it.
void PlacedGroups::unlimit_unit(const LeaseGroup& group) {
    const std::string& path = group.place.path;
    const bool is_limited = exists(path) && !read_cpus(top_, path, kCpus).empty();
    if (exists(path) && !is_limited) return;
    const CpuSet everybodys = read_cpus(top_, ".", kEffective);
    (void)units_->set_allowed_cpus(last_name(path), is_limited ? everybodys : CpuSet{});
}

Status PlacedGroups::attach(const LeaseGroup& group, int pid) {
    if (group.place.kind == PlaceKind::unit) return {};
    return write_file_at(top_, path_of(group) + kProcs, std::to_string(pid));
}

Result<Confinement> PlacedGroups::confinement(const LeaseGroup& group) const {
    const std::string path = path_of(group);
    CMK_TRY_ASSIGN(const std::string text, read_file_at(top_, path + kEffective));
    Confinement found;
    CMK_TRY_ASSIGN(found.effective, CpuSet::parse(text));
    if (remote_partitions_) CMK_TRY(judge_exclusive(top_, path, found));
    return found;
}

/// A threaded group lists threads alone.
Result<std::vector<int>> PlacedGroups::members(const LeaseGroup& group) const {
    const bool threaded = group.place.kind == PlaceKind::child;
    const std::string file = path_of(group) + (threaded ? "/cgroup.threads" : kProcs);
    CMK_TRY_ASSIGN(const std::string text, read_file_at(top_, file));
    std::set<int> pids;
    for (const std::string_view line : split(text, '\n')) {
        const auto id = parse_unsigned(line, INT_MAX);
        if (!id || *id == 0) continue;
        const int pid = threaded ? process_of(line) : static_cast<int>(*id);
        if (pid > 0) pids.insert(pid);
    }
    return std::vector<int>(pids.begin(), pids.end());
}

UniqueFd PlacedGroups::watch(const LeaseGroup& group) const {
    if (!remote_partitions_) return {};
    const std::string path = path_of(group) + kPartition;
    return UniqueFd(::openat(top_, path.c_str(), O_RDONLY | O_CLOEXEC));
}

bool PlacedGroups::clear_stale(const CpuSet& cpus, const std::vector<FoundGroup>& live,
                               const std::string& own) const {
    if (!remote_partitions_) return false;
    bool any = false;
    std::vector<std::string> claims = list_exclusive(top_, cpus);
    std::reverse(claims.begin(), claims.end());  // the walk lists parents first
    for (const std::string& path : claims) {
        if ((path + "/").starts_with(own + "/")) continue;
        CpuSet stale = read_cpus(top_, path, kExclusive) & cpus;
        for (const FoundGroup& lease : live) {
            if ((path_of(lease.group) + "/").starts_with(path + "/")) stale -= lease.cpus;
        }
        if (stale.empty()) continue;
        any = drop_exclusive(top_, {path}, stale).has_value() || any;
    }
    return any;
}

}  // namespace cmk
