// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "k8s/kube_config.h"
#include "k8s/publisher.h"

namespace cmk::k8s {

/// What `publish` is told.
struct DaemonSettings {
    PublisherSettings publisher = {};
    KubeConfig kube = {};
    std::string socket = {};
    std::string listen = {};                 ///< "" for not at all
    std::chrono::seconds longest_start{30};  ///< a random part of it is waited for at start
};

/// Publishes until SIGTERM or SIGINT; returns the exit code. Three threads: one hears the agent's
/// Monitor stream, one the watch of the Node, one decides and writes. A fourth answers at `listen`.
int run_daemon(const DaemonSettings& settings);

}  // namespace cmk::k8s
