// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ipc/names.h"
#include "k8s/agent_state.h"
#include "k8s/server_version.h"

namespace cmk::k8s {

/// The names of one of the original's two custom resources.
struct ReportKind {
    const char* kind;         ///< "Cmk-nodereport"
    const char* singular;     ///< "cmk-nodereport"
    const char* plural;       ///< "cmk-nodereports"
    const char* short_name;   ///< "cmk-nr"
    const char* third_party;  ///< kind of the third-party resource, "Nodereport"
};
inline constexpr ReportKind kNodeReport{"Cmk-nodereport", "cmk-nodereport", "cmk-nodereports",
                                        "cmk-nr", "Nodereport"};
inline constexpr ReportKind kReconcileReport{"Cmk-reconcilereport", "cmk-reconcilereport",
                                             "cmk-reconcilereports", "cmk-rr", "Reconcilereport"};
inline constexpr char kReportGroup[] = "intel.com";

/// The longest `status` of a report in bytes, as JSON.
inline constexpr std::size_t kMaxCompact = 8192;

/// What a report says: `report` is the original's object, `status` the compact one beside it.
struct ReportContent {
    std::string report = {};  ///< JSON text
    std::string status = {};  ///< JSON text

    friend bool operator==(const ReportContent&, const ReportContent&) = default;
};

/// The original's node report, with pools and leases as the directory at `path` that it describes
/// and a check `agent` for what the agent could not mend. Beside it counts of cores, the lowest
/// grade of a lease ("-" without one), and each pool with its CPUs as cpulists. Where those are
/// longer than kMaxCompact they are left out, the free ones first, and `shortened` says so.
ReportContent node_report(const AgentState& state, const std::string& path = kCompatDir);

/// The original's reconcile report, as the agent has it: it hears of every end by itself, so there
/// is no list to reclaim. Beside it what it repaired and what it could not.
ReportContent reconcile_report(const ReconcileReport& report);

/// Where a report goes.
struct ReportPlace {
    std::string name_space = "default";
    std::string node = {};
    std::string uid = {};  ///< of the Node, which owns the report
};

/// The object to write. `now`: RFC 3339, UTC; when it was published. `version`: the
/// resourceVersion that it replaces, "" to create it.
nlohmann::json report_object(const ReportKind& kind, const ReportPlace& place,
                             const ReportContent& content, const std::string& now,
                             const std::string& version, const ServerRules& rules);

/// "/apis/intel.com/v1/namespaces/default/cmk-nodereports"
std::string collection_path(const ReportKind& kind, const ReportPlace& place,
                            const ServerRules& rules);
/// The collection's path and the object's name.
std::string object_path(const ReportKind& kind, const ReportPlace& place, const ServerRules& rules);

/// A merge patch that says when the report was last found true, at most 300 bytes.
std::string heartbeat_patch(const std::string& now);

/// A node's name as the original wrote it into an object's: lower case, anything but letters,
/// digits and '-' as '-'. Errors: invalid_argument where that begins or ends with '-'.
Result<std::string> third_party_name(std::string_view node);

}  // namespace cmk::k8s
