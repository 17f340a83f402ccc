// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace cmk::k8s {

/// What a pod has come to.
struct PodState {
    enum class Kind { waiting, done, failed };
    Kind kind = Kind::waiting;
    std::string reason = {};     ///< why it failed, or what it waits for
    std::string container = {};  ///< whose log says more, or ""
    bool restarted = false;      ///< the log is that of the run before
};

/// Of a pod that shall end, and end well.
PodState state_of_one_shot(const nlohmann::json& pod);
/// Of a pod that shall run with all of its containers.
PodState state_of_daemon(const nlohmann::json& pod);

}  // namespace cmk::k8s
