// SPDX-License-Identifier: Apache-2.0
#include "agent/cgroup_mounts.h"

#include <fcntl.h>
#include <libcgroup.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include <cstdlib>
#include <memory>

#include "base/file_io.h"
#include "base/text.h"

namespace cmk {

namespace {

struct Freer {
    void operator()(char* text) const { std::free(text); }
};

/// The mount point of the cpuset controller as libcgroup found it, or "".
std::string cpuset_mount_point() {
    if (::cgroup_init() != 0) return "";
    char* found = nullptr;
    if (::cgroup_get_subsys_mount_point("cpuset", &found) != 0) return "";
    const std::unique_ptr<char, Freer> path(found);
    return path ? std::string(path.get()) : "";
}

bool is_v2(const std::string& path) {
    struct statfs info {};
    return ::statfs(path.c_str(), &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

CpusetMount discover() {
    const std::string path = cpuset_mount_point();
    if (path.empty()) {
        return {CpusetMount::Version::none, "", "no cgroup hierarchy offers the cpuset controller"};
    }
    return {is_v2(path) ? CpusetMount::Version::v2 : CpusetMount::Version::v1, path, ""};
}

}  // namespace

Result<CpusetMount> find_cpuset_mount(CgroupBackend backend) {
    if (backend == CgroupBackend::affinity) {
        return CpusetMount{CpusetMount::Version::none, "", "the configuration asks for affinity"};
    }
    CpusetMount mount = discover();
    const bool fits = backend == CgroupBackend::automatic ||
                      (backend == CgroupBackend::v1 && mount.version == CpusetMount::Version::v1) ||
                      (backend == CgroupBackend::v2 && mount.version == CpusetMount::Version::v2);
    if (!fits) {
        return make_error(Errc::unavailable,
                          "the configuration asks for a cgroup hierarchy that this machine does "
                          "not have; set backend = \"auto\" in [cgroup]");
    }
    return mount;
}

}  // namespace cmk
