// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "k8s/cluster/pod_wait.h"
#include "k8s/one_shot.h"

namespace cmk::k8s {

/// A cluster, and where to tell what is done in it.
struct Cluster {
    PatientApi& api;
    Watch watch;
    std::function<TimePoint()> now;
    std::function<std::int64_t()> seconds;          ///< since 1970
    std::function<void(const std::string&)> note;   ///< progress, a line each
    std::function<void(const std::string&)> print;  ///< the result
};

}  // namespace cmk::k8s
