// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"
#include "k8s/api.h"

namespace cmk::k8s {

/// Takes each object of a collection, asked for in pages. `query` without "?" narrows it. Errors:
/// as refusal(); where the list is too old to go on with, too: then the caller begins anew.
Status for_each_object(Api& api, const std::string& collection, const std::string& query,
                       const std::function<void(const nlohmann::json&)>& take);

}  // namespace cmk::k8s
