// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace cmk::k8s {

/// The first document of a YAML text (kubeconfig, server.yaml, mutations.yaml) as JSON: plain
/// scalars typed by YAML's core schema (null, bool, integer, float), quoted ones as strings,
/// anchors followed, keys as strings. An empty document is null.
/// Errors: invalid_argument with line and column; also for aliases that unfold to more than 64
/// levels or 100,000 values.
Result<nlohmann::json> parse_yaml(const std::string& text);

}  // namespace cmk::k8s
