// SPDX-License-Identifier: Apache-2.0
// The manager's part about kubelet, whose static CPU manager hands out CPUs as well.
#include "agent/manager.h"
#include "agent/message_ids.h"

namespace cmk {

std::string Manager::kubelet_problem() const {
    return kubelet_overlap(ports_.kubelet(), cpus_to_reserve(list_pools()));
}

void Manager::kubelet_changed() {
    const std::string now = kubelet_problem();
    if (now == kubelet_problem_) return;
    kubelet_problem_ = now;
    if (!now.empty()) ports_.log.warning(now, {{"MESSAGE_ID", message_id::kKubeletOverlap}});
    emit({Event::Kind::pools_changed, {}, now});
}

void Manager::add_kubelet_warning(ReconfigureReport& report) const {
    const std::string overlap = kubelet_overlap(ports_.kubelet(), cpus_to_reserve(report.pools));
    if (!overlap.empty()) report.warnings.push_back(overlap);
}

/// Those of the pool infra are kubelet's to give: its pods run there.
void Manager::check_kubelet(std::vector<LeaseVerdict>& verdicts) const {
    const CpuManagerState kubelet = ports_.kubelet();
    if (kubelet.policy != "static") return;
    const CpuSet reserved = cpus_to_reserve(list_pools());
    const std::string problem = kubelet_overlap(kubelet, reserved);
    const CpuSet both = kubelet.given & reserved;
    for (LeaseVerdict& verdict : verdicts) {
        const bool overlaps = both.intersects(verdict.lease.cpus);
        verdict.checks.push_back(
            {"kubelet", !overlaps,
             overlaps ? problem : "its static CPU manager has given away other CPUs"});
        verdict.passed = verdict.passed && !overlaps;
    }
}

}  // namespace cmk
