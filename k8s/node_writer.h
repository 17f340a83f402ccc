// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "k8s/api.h"
#include "k8s/node_payload.h"

namespace cmk::k8s {

/// What became of the writes on a Node.
struct NodeOutcome {
    std::vector<Failure> failures = {};
    bool taint_refused = false;  ///< by a credential of kubelet's, which may do the rest

    bool ok() const { return failures.empty(); }
};

/// GET of the Node. Errors: as refusal(), and invalid_argument when the answer is no Node.
struct NodeAnswer {
    std::optional<NodeObject> node = {};
    std::optional<Failure> failure = {};
};
NodeAnswer get_node(Api& api, const std::string& name);

/// What to write for a Node as it is.
using PlanWrites = std::function<Result<std::vector<NodeWrite>>(const NodeObject&)>;

/// Makes the writes that `plan` names, and after a conflict plans again on the Node as it then is,
/// three times at most. `node` becomes what the server answered last. A write that fails keeps none
/// of the others from being made.
NodeOutcome write_node(Api& api, NodeObject& node, const PlanWrites& plan);

}  // namespace cmk::k8s
