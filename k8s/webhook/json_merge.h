// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace cmk::k8s {

/// Merges `extra` into `target` by the original webhook's rules: maps by key, lists by appending,
/// anything else (null included) replaced. Unlike there, null does nothing to a map or list, and a
/// list gets no second entry of the same meaning: none of an equal value, of the same name
/// (volumes, env, containers and so on), of the same mountPath, and no toleration that one already
/// there covers; the entry that is there stays. Errors: invalid_argument, naming the member, where
/// a map or list meets another type.
Status deep_merge(nlohmann::json& target, const nlohmann::json& extra);

}  // namespace cmk::k8s
