// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "cli/compat/commands.h"
#include "confdir/init_plan.h"

namespace cmk::compat {

/// What the options of `init` ask for. Logs what is not understood and what means nothing, as the
/// original goes on then. Errors: invalid_argument for a count.
Result<InitRequest> init_request(const Call& call);

}  // namespace cmk::compat
