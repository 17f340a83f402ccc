// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "k8s/options.h"
#include "k8s/pace.h"

namespace cmk::k8s {

/// What a command line needs of its process.
struct Surroundings {
    std::function<std::optional<std::string>(const char*)> environment;
    std::string host_name;
    Random random;
};

/// cluster-init, reconfigure_setup, uninstall, and webhook-certs in the cluster: connects, does it,
/// tells progress on stderr and the table on stdout. Errors: as of the four.
Status run_cluster_command(const Options& options, const Surroundings& surroundings);

}  // namespace cmk::k8s
