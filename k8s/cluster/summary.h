// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "k8s/cluster/plan.h"

namespace cmk::k8s {

/// What came of one node.
struct NodeResult {
    std::string one_shots = "-";  ///< "done", "done before", "failed"
    std::string daemons = "-";    ///< "running", "failed"
    std::string pod = {};         ///< that failed
    std::string reason = {};      ///< why; "" for a node without failure
    std::vector<std::string> log = {};

    bool failed() const { return !reason.empty(); }
};
using NodeResults = std::map<std::string, NodeResult>;

/// A table with a row for each node and a line that counts them. Each failure follows with its
/// reason and the last lines of its log.
std::string summary_of(const Plan& plan, const NodeResults& results);

/// Errors: unavailable when a node failed, counting them.
Status outcome_of(const char* command, const NodeResults& results);

}  // namespace cmk::k8s
