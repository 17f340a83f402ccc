// SPDX-License-Identifier: Apache-2.0
// `init` on a directory of the original's format.
#include <fcntl.h>

#include "base/file_io.h"
#include "base/text.h"
#include "cli/compat/init_request.h"
#include "cli/compat/node.h"
#include "confdir/init.h"
#include "confdir/layout.h"

namespace cmk::compat {

namespace {

/// Never an obstacle: many workloads need none.
void look_for_huge_pages(const Log& log) {
    const auto text = read_file_at(AT_FDCWD, "/proc/meminfo");
    if (!text) return log.info("The kernel does not tell of huge pages");
    for (const std::string_view line : split(*text, '\n')) {
        constexpr std::string_view kKey = "HugePages_Free:";
        if (line.starts_with(kKey) && trim(line.substr(kKey.size())) == "0") {
            log.warning("No hugepages are free");
        }
    }
}

std::string ids_of(const CpuSet& cpus) {
    return cpus.to_comma_list();
}

void tell_isolated(const Node& node, const CoreIds& core_ids, const Log& log) {
    if (!node.isolated.empty()) log.info("Isolated logical cores: " + ids_of(node.isolated));
    std::string cores;
    for (const Core* core : node.topology.cores_within(node.isolated)) {
        cores += (cores.empty() ? "" : ",") + std::to_string(core_ids.at(core->index));
    }
    if (cores.empty()) {
        log.info(
            "No isolated physical cores detected: allocating shared and exclusive cores from full "
            "core list");
    } else {
        log.info("Isolated physical cores: " + cores);
    }
}

Result<int> refuse(const Status& why, const Log& log) {
    // One line for each count that differs.
    for (const std::string_view line : split(why.error().message, '\n'))
        log.error(line);
    return 1;
}

Result<int> see_existing(const ConfDir& directory, const InitCounts& counts, const Call& call) {
    call.log.info("Configuration directory already exists.");
    CMK_TRY_ASSIGN(const Node node, read_node(call));
    const Status same = check_existing(directory, node.topology, counts);
    return same ? Result<int>(0) : refuse(same, call.log);
}

}  // namespace

Result<int> init_directory_mode(const Call& call) {
    look_for_huge_pages(call.log);
    CMK_TRY_ASSIGN(const InitRequest request, init_request(call));
    CMK_TRY_ASSIGN(const ConfDir directory, directory_of(call));
    const InitCounts counts{request.exclusive_cores, request.shared_cores};
    call.log.info("Configuration directory: " + directory.path());
    call.log.info("Exclusive cores: " + std::to_string(counts.exclusive) +
                  ", shared cores: " + std::to_string(counts.shared));
    CMK_TRY_ASSIGN(const bool exists, has_pools(directory));
    if (exists) return see_existing(directory, counts, call);

    CMK_TRY_ASSIGN(const Node node, read_node(call));
    const CoreIds core_ids = lscpu_core_ids(node.topology);
    tell_isolated(node, core_ids, call.log);
    CMK_TRY_ASSIGN(const PoolPlan plan, plan_init(node.topology, core_ids, node.isolated, request));
    for (const std::string& warning : plan.warnings)
        call.log.warning(warning);
    const auto layout = make_layout(plan, node.topology);
    for (const PoolLayout& pool : layout)
        call.log.info("Adding " + pool.name + " pool.");
    const auto made = init_directory(directory, layout, node.topology, counts);
    return made ? Result<int>(0) : refuse(Status(made.error()), call.log);
}

}  // namespace cmk::compat
