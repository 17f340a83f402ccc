// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "k8s/api.h"
#include "k8s/cluster/pod_tracker.h"

namespace cmk::k8s {

/// The last lines that a failed pod has written, printable; why they cannot be had, where that is
/// so; nothing where no container has run.
std::vector<std::string> last_lines(Api& api, const std::string& name_space, const NodePod& failed);

}  // namespace cmk::k8s
