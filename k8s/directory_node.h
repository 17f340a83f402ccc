// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "k8s/node_payload.h"
#include "k8s/reports.h"
#include "k8s/server_version.h"

namespace cmk::k8s {

/// What is published of a node without the agent, from the report on its directory that
/// `cmk node-report` prints.

/// Each exclusive pool's CPU lists as a resource, taken or not, as the original counted them.
/// Errors: invalid_argument for a text that is no report, or one without the pool exclusive.
Result<NodeWish> directory_wish(const std::string& report, const ServerRules& rules, bool taint);

/// The report as it is, with counts of lists beside it. Errors: invalid_argument for a text that is
/// no report.
Result<ReportContent> directory_content(const std::string& report);

}  // namespace cmk::k8s
