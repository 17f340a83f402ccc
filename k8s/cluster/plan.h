// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "k8s/cluster/init_options.h"

namespace cmk::k8s {

/// What is done on every node.
struct Plan {
    std::vector<std::string> one_shots = {};  ///< of init, discover, install; in the order given
    std::vector<std::string> daemons = {};    ///< of reconcile, nodereport
    InitOptions settings = {};
    bool reconfigures = false;  ///< one_shots is "reconfigure", done anew each time
};

/// Checks the options in the original's order and with its texts, then what would not survive the
/// way through a shell or a mount. Errors: invalid_argument.
Result<Plan> make_plan(const InitOptions& options);

/// The same for reconfigure_setup, which has a part of the options.
Result<Plan> make_reconfigure_plan(const InitOptions& options);

/// The names of --host-list without blanks around them, each once. Errors: invalid_argument for a
/// name that no Node can have.
Result<std::vector<std::string>> listed_hosts(const std::string& list);

}  // namespace cmk::k8s
