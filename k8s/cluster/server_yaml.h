// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace cmk::k8s {

/// The webhook's server.yaml, for where its Deployment mounts things.
std::string server_yaml();

}  // namespace cmk::k8s
