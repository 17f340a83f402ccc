// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace cmk::k8s {

/// The webhook's server.yaml, for where its Deployment mounts things.
std::string server_yaml();

/// The webhook's mutations.yaml with these directories of the hosts.
std::string mutations_yaml(const std::string& conf_dir, const std::string& install_dir);

}  // namespace cmk::k8s
