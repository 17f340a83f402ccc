// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "k8s/api.h"

namespace cmk::k8s {

/// A node as far as cluster-init looks at it.
struct ClusterNode {
    std::string name = {};
    bool schedulable = true;
    std::string os = {};  ///< "linux"; "" where no label says it

    bool takes_pods() const { return schedulable && (os.empty() || os == "linux"); }
};

/// Its name is "" where the object has none.
ClusterNode cluster_node(const nlohmann::json& node);

/// All nodes, in pages: a Node with its images can be long. Errors: as refusal().
Result<std::vector<ClusterNode>> list_nodes(Api& api);

/// The names of those with our label. Errors: as refusal().
Result<std::vector<std::string>> labelled_nodes(Api& api);

/// The nodes that are meant: those of `hosts`, which must all be there and run Linux, or without
/// `hosts` all that take pods. Errors: invalid_argument naming those that are not; unavailable
/// where none is left.
Result<std::vector<std::string>> choose_nodes(const std::vector<ClusterNode>& nodes,
                                              const std::vector<std::string>& hosts);

}  // namespace cmk::k8s
