// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "k8s/api.h"
#include "k8s/server_version.h"

namespace cmk::k8s {

/// The version of a server that is supported. Errors: as refusal() and rules_for().
Result<ServerVersion> supported_version(Api& api);

}  // namespace cmk::k8s
