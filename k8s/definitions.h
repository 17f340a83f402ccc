// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "k8s/api.h"
#include "k8s/reports.h"
#include "k8s/server_version.h"

namespace cmk::k8s {

/// The definition of a report's type: apiextensions v1, v1beta1 as the original's, or below 1.7 a
/// third-party resource.
nlohmann::json definition_of(const ReportKind& kind, const ServerRules& rules);
/// The same as JSON text.
std::string definition_text(const ReportKind& kind, const ServerRules& rules);
std::string definitions_path(const ServerRules& rules);
/// "cmk-nodereports.intel.com"
std::string definition_name(const ReportKind& kind, const ServerRules& rules);

/// Does a definition that a server answered with say that it is in force?
bool is_established(const Answer& definition);

}  // namespace cmk::k8s
