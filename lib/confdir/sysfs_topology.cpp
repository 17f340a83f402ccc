// SPDX-License-Identifier: Apache-2.0
#include "confdir/sysfs_topology.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

/// Where firmware says a core is.
struct Place {
    long package = 0;
    long die = 0;
    long cluster = 0;
    long core = 0;

    friend bool operator<(const Place& a, const Place& b) {
        return std::tie(a.package, a.die, a.cluster, a.core) <
               std::tie(b.package, b.die, b.cluster, b.core);
    }
};

/// An id; firmware that does not know one says -1.
Result<long> read_id(const std::string& path) {
    CMK_TRY_ASSIGN(const std::string content, read_file_at(AT_FDCWD, path));
    const std::string_view text = trim(content);
    long id = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (text.empty() || error != std::errc{} || stop != text.data() + text.size() || id < -1) {
        return make_error(Errc::invalid_argument, path + ": " + quote(text) + " is no id");
    }
    return id;
}

/// Kernels differ in which of these files they have.
Result<long> read_optional_id(const std::string& path) {
    auto id = read_id(path);
    if (!id && id.error().sys_errno == ENOENT) return 0L;
    return id;
}

Result<Place> read_place(const std::string& directory) {
    Place place;
    CMK_TRY_ASSIGN(place.package, read_id(directory + "/physical_package_id"));
    CMK_TRY_ASSIGN(place.die, read_optional_id(directory + "/die_id"));
    CMK_TRY_ASSIGN(place.cluster, read_optional_id(directory + "/cluster_id"));
    CMK_TRY_ASSIGN(place.core, read_id(directory + "/core_id"));
    if (place.core < 0) {
        return make_error(Errc::invalid_argument,
                          directory + "/core_id: this machine does not tell its cores");
    }
    return place;
}

Result<CpuSet> read_list(const std::string& path) {
    CMK_TRY_ASSIGN(const std::string text, read_file_at(AT_FDCWD, path));
    auto cpus = CpuSet::parse(text);
    if (!cpus) return with_context(cpus.error(), path);
    return cpus;
}

/// A kernel without CPU hotplug may lack "online"; all CPUs that are there then are.
Result<CpuSet> read_online(const std::string& directory) {
    auto online = read_list(directory + "/online");
    if (online || online.error().sys_errno != ENOENT) return online;
    auto present = read_list(directory + "/present");
    return present ? present : online;
}

Result<std::map<unsigned, Place>> read_places(const std::string& directory) {
    CMK_TRY_ASSIGN(const CpuSet online, read_online(directory));
    std::map<unsigned, Place> places;
    for (const unsigned cpu : online.to_vector()) {
        CMK_TRY_ASSIGN(places[cpu],
                       read_place(directory + "/cpu" + std::to_string(cpu) + "/topology"));
    }
    return places;
}

std::vector<CpuRecord> number(const std::map<unsigned, Place>& places) {
    std::set<long> packages;
    for (const auto& [cpu, place] : places)
        packages.insert(place.package);
    std::map<Place, unsigned> cores;
    std::vector<CpuRecord> records;
    for (const auto& [cpu, place] : places) {
        const auto core = cores.try_emplace(place, static_cast<unsigned>(cores.size())).first;
        const auto package =
            static_cast<unsigned>(std::distance(packages.begin(), packages.find(place.package)));
        records.push_back({.cpu = cpu,
                           .core = core->second,
                           .package = package,
                           .numa = package,
                           .llc = package});
    }
    return records;
}

}  // namespace

Result<Topology> load_sysfs_topology(const std::string& root) {
    const auto places = read_places(root + "/sys/devices/system/cpu");
    if (!places) return with_context(places.error(), "cannot read the machine's topology");
    return Topology::from_records(number(*places));
}

}  // namespace cmk
