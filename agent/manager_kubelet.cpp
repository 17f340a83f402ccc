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

void Manager::check_kubelet(LeaseVerdict& verdict) const {
    const CpuManagerState kubelet = ports_.kubelet();
    if (kubelet.policy != "static") return;
    const CpuSet reserved = cpus_to_reserve(list_pools());
    const bool overlaps = (kubelet.given & reserved).intersects(verdict.lease.cpus);
    verdict.checks.push_back({"kubelet", !overlaps,
                              overlaps ? kubelet_overlap(kubelet, reserved)
                                       : "its static CPU manager has given away none of these CPUs "
                                         "that it has to reserve"});
    verdict.passed = verdict.passed && !overlaps;
}

}  // namespace cmk
