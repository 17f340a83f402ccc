// SPDX-License-Identifier: Apache-2.0
#include "hw/topology_source.h"

#include <fcntl.h>
#include <hwloc.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>

#include "base/file_io.h"
#include "base/handle.h"
#include "base/text.h"
#include "core/pool_planner.h"

namespace cmk {

namespace {

using TopologyHandle = Handle<std::remove_pointer_t<hwloc_topology_t>, hwloc_topology_destroy>;

/// Sets an environment variable while hwloc looks at it, and puts the old value back.
class ScopedVariable {
public:
    ScopedVariable(const char* name, const std::string& value) : name_(name) {
        if (const char* old = std::getenv(name)) old_ = old;
        had_ = std::getenv(name) != nullptr;
        ::setenv(name, value.c_str(), 1);
    }
    ~ScopedVariable() { had_ ? ::setenv(name_, old_.c_str(), 1) : ::unsetenv(name_); }
    ScopedVariable(const ScopedVariable&) = delete;
    ScopedVariable& operator=(const ScopedVariable&) = delete;

private:
    const char* name_;
    std::string old_;
    bool had_ = false;
};

Error hwloc_error(const std::string& what) {
    return make_error(Errc::io, "hwloc cannot " + what);
}

bool is_live(const TopologySource& source) {
    return source.sysfs_root.empty() && source.xml.empty() && source.synthetic.empty();
}

/// hwloc falls back to the running machine where a source is missing; so it is looked at first.
Status check_source(const TopologySource& source) {
    const std::string path =
        source.sysfs_root.empty() ? source.xml : source.sysfs_root + "/sys/devices/system/cpu";
    struct stat info {};
    if (!path.empty() && ::stat(path.c_str(), &info) < 0) {
        return errno_error(errno, "cannot read the topology from " + path);
    }
    return {};
}

Status configure(hwloc_topology_t topology, const TopologySource& source) {
    ::hwloc_topology_set_flags(
        topology, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED | HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING);
    ::hwloc_topology_set_io_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE);
    ::hwloc_topology_set_type_filter(topology, HWLOC_OBJ_MISC, HWLOC_TYPE_FILTER_KEEP_NONE);
    // Its x86 backend would mix this machine's caches in, or bind to every CPU in turn.
    ::hwloc_topology_set_components(topology, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
    if (!source.xml.empty() && ::hwloc_topology_set_xml(topology, source.xml.c_str()) < 0) {
        return make_error(Errc::invalid_argument, "hwloc cannot use the XML file " + source.xml);
    }
    if (!source.synthetic.empty() &&
        ::hwloc_topology_set_synthetic(topology, source.synthetic.c_str()) < 0) {
        return make_error(
            Errc::invalid_argument,
            "hwloc does not understand the synthetic topology " + quote(source.synthetic));
    }
    return {};
}

Result<TopologyHandle> discover(const TopologySource& source) {
    const ScopedVariable no_plugins("HWLOC_PLUGINS_PATH", "/nonexistent");
    std::unique_ptr<ScopedVariable> root;
    if (!source.sysfs_root.empty()) {
        root = std::make_unique<ScopedVariable>("HWLOC_FSROOT", source.sysfs_root);
    }
    hwloc_topology_t topology = nullptr;
    if (::hwloc_topology_init(&topology) < 0) return hwloc_error("start");
    TopologyHandle handle(topology);
    CMK_TRY(configure(topology, source));
    if (::hwloc_topology_load(topology) < 0) return hwloc_error("read the topology");
    if (!is_live(source) && ::hwloc_topology_is_thissystem(topology) != 0) {
        return make_error(Errc::invalid_argument,
                          "hwloc did not use the given topology but this machine's");
    }
    return handle;
}

/// The last-level cache above a PU: its index over all caches of that level, or its package's.
unsigned llc_of(hwloc_topology_t topology, hwloc_obj_t pu, unsigned package) {
    hwloc_obj_t last = nullptr;
    for (hwloc_obj_t at = pu->parent; at != nullptr; at = at->parent) {
        if (::hwloc_obj_type_is_dcache(at->type) != 0) last = at;
    }
    (void)topology;
    return last == nullptr ? package : last->logical_index;
}

unsigned numa_of(hwloc_topology_t topology, hwloc_obj_t pu) {
    hwloc_obj_t node = nullptr;
    while ((node = ::hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node)) != nullptr) {
        if (::hwloc_bitmap_isset(node->cpuset, pu->os_index) != 0) return node->os_index;
    }
    return 0;
}

std::string kind_of(hwloc_topology_t topology, hwloc_obj_t pu) {
    if (::hwloc_cpukinds_get_nr(topology, 0) < 2) return "";
    const int kind = ::hwloc_cpukinds_get_by_cpuset(topology, pu->cpuset, 0);
    unsigned count = 0;
    hwloc_info_s* infos = nullptr;
    if (kind < 0 || ::hwloc_cpukinds_get_info(topology, static_cast<unsigned>(kind), nullptr,
                                              nullptr, &count, &infos, 0) < 0) {
        return "";
    }
    for (unsigned i = 0; i < count; ++i) {
        if (std::string_view(infos[i].name) == "CoreType") return infos[i].value;
    }
    return "kind" + std::to_string(kind);
}

CpuRecord record_of(hwloc_topology_t topology, hwloc_obj_t pu) {
    hwloc_obj_t core = ::hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_CORE, pu);
    hwloc_obj_t package = ::hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_PACKAGE, pu);
    CpuRecord record{.cpu = pu->os_index};
    record.core = core == nullptr ? pu->logical_index : core->logical_index;
    record.package = package == nullptr ? 0 : package->os_index;
    record.numa = numa_of(topology, pu);
    record.llc = llc_of(topology, pu, record.package);
    record.kind = kind_of(topology, pu);
    return record;
}

}  // namespace

Result<Topology> load_topology(const TopologySource& source) {
    CMK_TRY(check_source(source));
    CMK_TRY_ASSIGN(const TopologyHandle topology, discover(source));
    std::vector<CpuRecord> records;
    hwloc_obj_t pu = nullptr;
    while ((pu = ::hwloc_get_next_obj_by_type(topology.get(), HWLOC_OBJ_PU, pu)) != nullptr) {
        records.push_back(record_of(topology.get(), pu));
    }
    return Topology::from_records(std::move(records));
}

Result<CpuSet> load_isolated(const std::string& sysfs_root, const std::string& cmdline,
                             unsigned last_cpu) {
    const auto text = read_file_at(AT_FDCWD, sysfs_root + "/sys/devices/system/cpu/isolated");
    const std::string_view list = text ? trim(*text) : "";
    // Kernels write "(null)" where nothing is isolated.
    if (!list.empty() && list != "(null)") return CpuSet::parse(list);
    return parse_isolcpus(cmdline, last_cpu);
}

}  // namespace cmk
