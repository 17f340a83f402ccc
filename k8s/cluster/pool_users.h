// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace cmk::k8s {

/// The processes that a description (of `cmk describe`, or in a node report) has in its pools:
/// "process 4012 on CPUs 4,12 of pool exclusive". Those of the pool `but` are left out.
std::vector<std::string> users_in(const nlohmann::json& description, const std::string& but = "");

}  // namespace cmk::k8s
